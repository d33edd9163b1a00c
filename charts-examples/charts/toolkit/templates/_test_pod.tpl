{{/*
A pod that `helm test` runs. Arguments: the root context, the image, the script.
*/}}
{{- define "toolkit.testPod" -}}
{{- $root := index . 0 -}}
apiVersion: v1
kind: Pod
metadata:
  name: {{ $root.Release.Name }}-test
  labels:
    {{- include "toolkit.labels" (list $root "test") | nindent 4 }}
  annotations:
    helm.sh/hook: test
spec:
  restartPolicy: Never
  containers:
    - name: test
      image: {{ index . 1 | quote }}
      command: ["/bin/sh", "-ec"]
      args:
        - {{ index . 2 | quote }}
{{- end }}
