{{/*
Labels of an object. Arguments: the root context, the component.
`release_group` is what Armada's waits and deletions select by.
*/}}
{{- define "toolkit.labels" -}}
{{- $root := index . 0 -}}
application: {{ $root.Chart.Name }}
component: {{ index . 1 }}
release_group: {{ $root.Release.Name }}
{{- end }}

{{/*
Labels by which a workload finds its pods. Arguments: the root context, the component.
*/}}
{{- define "toolkit.selector" -}}
{{- $root := index . 0 -}}
component: {{ index . 1 }}
release_group: {{ $root.Release.Name }}
{{- end }}
