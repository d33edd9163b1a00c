{{/*
A Secret. Arguments: the root context, the component, the data in clear text.
*/}}
{{- define "toolkit.secret" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
apiVersion: v1
kind: Secret
metadata:
  name: {{ $root.Release.Name }}-{{ $component }}
  labels:
    {{- include "toolkit.labels" (list $root $component) | nindent 4 }}
type: Opaque
data:
  {{- range $key, $value := index . 2 }}
  {{ $key }}: {{ $value | toString | b64enc | quote }}
  {{- end }}
{{- end }}
