{{- define "sensorcast.name" -}}
{{- default .Chart.Name .Values.nameOverride | trunc 40 | trimSuffix "-" }}
{{- end }}

{{- define "sensorcast.fullname" -}}
{{- if .Values.fullnameOverride }}
{{- .Values.fullnameOverride | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- $name := include "sensorcast.name" . }}
{{- if contains $name .Release.Name }}
{{- .Release.Name | trunc 40 | trimSuffix "-" }}
{{- else }}
{{- printf "%s-%s" .Release.Name $name | trunc 40 | trimSuffix "-" }}
{{- end }}
{{- end }}
{{- end }}

{{/* What every object of the release is selected by. */}}
{{- define "sensorcast.selector" -}}
app.kubernetes.io/name: {{ include "sensorcast.name" . }}
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "sensorcast.labels" -}}
{{ include "sensorcast.selector" . }}
app.kubernetes.io/part-of: sensorcast
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version | replace "+" "_" }}
{{- end }}

{{/* The services, for `range splitList`. Ingest is the only one with a name that must come back. */}}
{{- define "sensorcast.services" -}}
ingest,archiver,forecaster,alerter,api
{{- end }}

{{- define "sensorcast.image" -}}
{{- $image := .root.Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end }}{{ $image.repository }}/{{ .name }}:{{ default .root.Chart.AppVersion $image.tag }}
{{- end }}

{{- define "sensorcast.mqttUrl" -}}
{{- if .Values.mqtt.url -}}
{{ .Values.mqtt.url }}
{{- else if .Values.mosquitto.enabled -}}
mqtts://{{ include "sensorcast.fullname" . }}-mosquitto.{{ .Release.Namespace }}.svc:8883
{{- else -}}
{{ fail "mqtt.url: name a broker, or set mosquitto.enabled" }}
{{- end }}
{{- end }}

{{/* The port of the broker outside the cluster, for the network policy. */}}
{{- define "sensorcast.mqttPort" -}}
{{- $url := urlParse (include "sensorcast.mqttUrl" .) -}}
{{- $port := regexFind "[0-9]+$" $url.host -}}
{{- default (ternary "8883" "1883" (eq $url.scheme "mqtts")) $port -}}
{{- end }}

{{- define "sensorcast.containerSecurity" -}}
allowPrivilegeEscalation: false
capabilities: {drop: [ALL]}
readOnlyRootFilesystem: true
{{- end }}

{{- define "sensorcast.podSecurity" -}}
runAsNonRoot: true
runAsUser: {{ .id }}
runAsGroup: {{ .id }}
fsGroup: {{ .id }}
fsGroupChangePolicy: OnRootMismatch
seccompProfile: {type: RuntimeDefault}
{{- end }}

{{/* Address of a queue; .root, .queue */}}
{{- define "sensorcast.queueUrl" -}}
{{- $aws := .root.Values.aws -}}
{{- $account := required "aws.accountId: KEDA needs the addresses of the queues" $aws.accountId -}}
https://sqs.{{ $aws.region }}.amazonaws.com/{{ $account }}/{{ .root.Values.stack }}-{{ .queue }}
{{- end }}
