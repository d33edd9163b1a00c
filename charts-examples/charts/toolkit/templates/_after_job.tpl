{{/*
Pod label: the pod cannot become ready before the Job of that name is complete. Where pods are simulated,
this label is all there is to go by; on a real node the init container below does the waiting.
Argument: the Job's name.
*/}}
{{- define "toolkit.afterJobLabel" -}}
armada2flux.example/ready-after-job: {{ . }}
{{- end }}

{{/*
Init container that waits for a Job. Arguments: the root context, the Job's name.
*/}}
{{- define "toolkit.afterJobContainer" -}}
- name: after-job
  image: {{ (index . 0).Values.images.kubectl | quote }}
  args:
    - wait
    - --for=condition=complete
    - --timeout=30m
    - job/{{ index . 1 }}
{{- end }}

{{/*
What the init container needs to look at Jobs: account, role and binding. Arguments: the root context, the
component, whose name they bear.
*/}}
{{- define "toolkit.afterJobAccess" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $name := printf "%s-%s" $root.Release.Name $component -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ $name }}
  labels:
    {{- include "toolkit.labels" (list $root $component) | nindent 4 }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata:
  name: {{ $name }}
  labels:
    {{- include "toolkit.labels" (list $root $component) | nindent 4 }}
rules:
  - apiGroups: [batch]
    resources: [jobs]
    verbs: [get, list, watch]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata:
  name: {{ $name }}
  labels:
    {{- include "toolkit.labels" (list $root $component) | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: Role
  name: {{ $name }}
subjects:
  - kind: ServiceAccount
    name: {{ $name }}
    namespace: {{ $root.Release.Namespace }}
{{- end }}
