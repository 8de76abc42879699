{{/* The pod of a service; .root, .name */}}
{{- define "sensorcast.pod" -}}
{{- $values := .root.Values -}}
{{- $service := index $values .name -}}
{{- $preStop := int (default 0 $service.preStopSeconds) -}}
{{- $tls := default $values.mqtt.tlsSecret $service.mqttTlsSecret -}}
{{- $traces := and $values.tracing.enabled $values.tracing.headersSecret (ne .name "api") -}}
{{- $mqtt := has .name (list "ingest" "alerter" "api") -}}
metadata:
  labels:
    {{- include "sensorcast.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
    {{- with $values.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  annotations:
    checksum/config: {{ include (print .root.Template.BasePath "/configmap.yaml") .root | sha256sum }}
    {{- with $values.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
spec:
  serviceAccountName: {{ include "sensorcast.fullname" .root }}-{{ .name }}
  automountServiceAccountToken: false
  enableServiceLinks: false
  terminationGracePeriodSeconds: {{ add (ceil $values.drainSeconds) $preStop $values.terminationMarginSeconds }}
  {{- with default (ternary $values.priorityClass.name "" $values.priorityClass.create) $service.priorityClassName }}
  priorityClassName: {{ . }}
  {{- end }}
  {{- with $values.imagePullSecrets }}
  imagePullSecrets:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  securityContext:
    {{- include "sensorcast.podSecurity" (dict "id" 65532) | nindent 4 }}
  containers:
    - name: {{ .name }}
      image: {{ include "sensorcast.image" . }}
      imagePullPolicy: {{ $values.image.pullPolicy }}
      securityContext:
        {{- include "sensorcast.containerSecurity" . | nindent 8 }}
      envFrom:
        - configMapRef: {name: {{ include "sensorcast.fullname" .root }}-{{ .name }}}
        {{- with $values.aws.credentialsSecret }}
        - secretRef: {name: {{ . }}}
        {{- end }}
      {{- if or $mqtt $service.env }}
      env:
        {{- if $mqtt }}
        - name: POD_NAME
          valueFrom: {fieldRef: {fieldPath: metadata.name}}
        - name: SENSORCAST_MQTT_CLIENT_ID
          value: {{ $values.stack }}-$(POD_NAME)
        {{- with $values.mqtt.authSecret }}
        - name: SENSORCAST_MQTT_USERNAME
          valueFrom: {secretKeyRef: {name: {{ . }}, key: username}}
        {{- end }}
        {{- end }}
        {{- with $service.env }}
        {{- toYaml . | nindent 8 }}
        {{- end }}
      {{- end }}
      ports:
        - {name: ops, containerPort: {{ $values.opsPort }}}
        {{- if eq .name "api" }}
        - {name: http, containerPort: 8080}
        {{- end }}
      startupProbe:
        httpGet: {path: /healthz, port: ops}
        periodSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /healthz, port: ops}
        periodSeconds: 15
        timeoutSeconds: 5
        failureThreshold: 4
      readinessProbe:
        httpGet: {path: /readyz, port: ops}
        periodSeconds: 10
        timeoutSeconds: 6
        failureThreshold: 3
      {{- if $preStop }}
      lifecycle:
        preStop: {sleep: {seconds: {{ $preStop }}}}
      {{- end }}
      resources:
        {{- toYaml $service.resources | nindent 8 }}
      volumeMounts:
        - {name: tmp, mountPath: /tmp}
        {{- if and $mqtt $tls }}
        - {name: mqtt-tls, mountPath: /etc/sensorcast/mqtt-tls, readOnly: true}
        {{- end }}
        {{- if and $mqtt $values.mqtt.authSecret }}
        - {name: mqtt-auth, mountPath: /etc/sensorcast/mqtt-auth, readOnly: true}
        {{- end }}
        {{- if $traces }}
        - {name: traces, mountPath: /etc/sensorcast/traces, readOnly: true}
        {{- end }}
        {{- if and (eq .name "alerter") $service.smsPrices }}
        - {name: sms-prices, mountPath: /etc/sensorcast/sms, readOnly: true}
        {{- end }}
  volumes:
    - name: tmp
      emptyDir: {sizeLimit: 512Mi}
    {{- if and $mqtt $tls }}
    - name: mqtt-tls
      secret: {secretName: {{ $tls }}, defaultMode: 0440}
    {{- end }}
    {{- if and $mqtt $values.mqtt.authSecret }}
    - name: mqtt-auth
      secret: {secretName: {{ $values.mqtt.authSecret }}, defaultMode: 0440}
    {{- end }}
    {{- if $traces }}
    - name: traces
      secret: {secretName: {{ $values.tracing.headersSecret }}, defaultMode: 0440}
    {{- end }}
    {{- if and (eq .name "alerter") $service.smsPrices }}
    - name: sms-prices
      configMap: {name: {{ include "sensorcast.fullname" .root }}-sms-prices}
    {{- end }}
  topologySpreadConstraints:
    {{- range $key, $policy := dict "topology.kubernetes.io/zone" $values.topologySpread.zone "kubernetes.io/hostname" $values.topologySpread.node }}
    - maxSkew: 1
      topologyKey: {{ $key }}
      whenUnsatisfiable: {{ $policy }}
      labelSelector:
        matchLabels:
          {{- include "sensorcast.selector" $.root | nindent 10 }}
          app.kubernetes.io/component: {{ $.name }}
    {{- end }}
  {{- with $values.nodeSelector }}
  nodeSelector:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.affinity }}
  affinity:
    {{- toYaml . | nindent 4 }}
  {{- end }}
  {{- with $values.tolerations }}
  tolerations:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end }}
