{{/*
A Job that runs a shell script once.
Arguments: the root context, the component, the image, the script, annotations (a map, may be empty).
*/}}
{{- define "toolkit.job" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ $root.Release.Name }}-{{ $component }}
  labels:
    {{- include "toolkit.labels" (list $root $component) | nindent 4 }}
  {{- with index . 4 }}
  annotations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
spec:
  backoffLimit: 4
  template:
    metadata:
      labels:
        {{- include "toolkit.labels" (list $root $component) | nindent 8 }}
    spec:
      restartPolicy: OnFailure
      containers:
        - name: {{ $component }}
          image: {{ index . 2 | quote }}
          command: ["/bin/sh", "-ec"]
          args:
            - {{ index . 3 | quote }}
{{- end }}
