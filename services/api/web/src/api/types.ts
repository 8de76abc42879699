/** What the API answers with; the contract is /openapi.json. Times are RFC 3339 in UTC. */

export type Role = "viewer" | "operator" | "admin";
export type Side = "above" | "below" | "rising" | "falling" | "silent" | "stuck" | "kinetic";
export type IncidentState = "pending" | "open" | "acknowledged" | "resolved";
export type Severity = "info" | "warning" | "critical";

export interface Me {
  tenant: string;
  role: Role;
  key_id: string;
  name: string;
  expires_at: string;
  /** The resources that the key opens. */
  scopes: string[];
}

export interface Page<Item> {
  items: Item[];
  next_cursor: string | null;
}

export interface MetricState {
  unit: string;
  last_ts: string;
  last_value: number;
}

export interface Device {
  device: string;
  /** What people call it. */
  name: string | null;
  labels: Record<string, string>;
  labels_version: number;
  metrics: Record<string, MetricState>;
  first_seen: string;
  last_seen: string;
}

export interface LimitRisk {
  rule_id: string;
  side: Side;
  threshold: number;
  probability: number;
  expected_at: string | null;
}

export interface Forecast {
  device: string;
  metric: string;
  unit: string;
  known_at: string;
  last_value: number;
  step_seconds: number;
  start: string;
  q10: number[];
  q50: number[];
  q90: number[];
  risks: LimitRisk[];
  model: string;
  /** When the model was trained; null where nobody told. */
  trained_at: string | null;
  trained_from: string;
  trained_to: string;
  /** First and last reading that was looked at; null in forecasts of earlier versions. */
  window_from: string | null;
  window_to: string | null;
  fallback: string | null;
}

export type Kind = "limit" | "silence" | "rate" | "stuck" | "product";

/** How much of a product's budgets is used up, in minutes. */
export interface Excursion {
  product: string;
  minutes: number;
  consecutive_budget: number | null;
  cumulative_minutes: number;
  cumulative_budget: number | null;
  foreseen_minutes: number | null;
  foreseen_cumulative_minutes: number | null;
  mean_kinetic: number | null;
}

export type Transition =
  | "pending"
  | "opened"
  | "observed"
  | "confirmed"
  | "acknowledged"
  | "revised"
  | "resolved"
  | "commented";

export interface IncidentEntry {
  entry_id: string;
  at: string;
  transition: Transition;
  state: IncidentState;
  basis: "predicted" | "observed";
  reason: string;
  value: number;
  probability: number | null;
  by: string | null;
  note: string | null;
}

export interface Incident {
  incident_id: string;
  rule_id: string;
  rule_version: number;
  rule_name: string;
  severity: Severity;
  device: string;
  metric: string;
  unit: string;
  kind: Kind;
  state: IncidentState;
  basis: "predicted" | "observed";
  side: Side;
  threshold: number;
  opened_at: string;
  value: number;
  as_of: string | null;
  worst: number | null;
  probability: number | null;
  expected_at: string | null;
  observed_at: string | null;
  forecast_known_at: string | null;
  expires_at: string | null;
  resolved_at: string | null;
  late: boolean;
  withdrawn: boolean;
  acknowledged_by: string | null;
  acknowledged_at: string | null;
  note: string | null;
  excursion: Excursion | null;
  reason: string;
  notified_at: string | null;
  message: string | null;
}

export interface FleetRisk extends LimitRisk {
  metric: string;
  known_at: string;
}

export interface FleetDevice {
  device: string;
  name: string | null;
  labels: Record<string, string>;
  metric: string;
  unit: string;
  value: number;
  ts: string;
  last_seen: string;
  sparkline: { start: string; step_seconds: number; values: (number | null)[] };
  risk: FleetRisk | null;
  incident: Incident | null;
}

export interface FleetPage extends Page<FleetDevice> {
  now: string;
}

export interface ReadingsPage {
  unit: string;
  start: string;
  end: string;
  readings: { ts: string; value: number }[];
  next_cursor: string | null;
}

export type Bucket = "minute" | "hour" | "day";

export interface HistoryPage {
  lake_until: string;
  series: HistorySeries[];
  next_cursor: string | null;
}

export interface HistoryBucket {
  start: string;
  count: number;
  min: number;
  max: number;
  mean: number;
  p05: number;
  p50: number;
  p95: number;
  inside: number | null;
  mkt: number | null;
}

export interface AggregateSeries {
  device: string;
  metric: string;
  unit: string;
  buckets: HistoryBucket[];
}

export interface HistoryAggregates {
  bucket: Bucket;
  lake_until: string;
  series: AggregateSeries[];
}

export interface ForecastCondition {
  min_probability: number;
  min_consecutive: number;
  clear_probability: number | null;
  clear_consecutive: number;
}

export interface LimitCondition {
  kind: "limit";
  above: number | null;
  below: number | null;
  hold_seconds: number;
  clear_margin: number;
  forecast: ForecastCondition | null;
}

export interface SilenceCondition {
  kind: "silence";
  after_minutes: number;
}

export interface RateCondition {
  kind: "rate";
  rising: number | null;
  falling: number | null;
  window_minutes: number;
  hold_seconds: number;
  clear_margin: number;
}

export interface StuckCondition {
  kind: "stuck";
  after_minutes: number;
  tolerance: number;
}

export interface ProductCondition {
  kind: "product";
  product: string;
  clear_margin: number;
  forecast: ForecastCondition | null;
}

export type Condition = LimitCondition | SilenceCondition | RateCondition | StuckCondition | ProductCondition;

/** What a product stands. */
export interface ProductBody {
  name: string;
  above: number | null;
  below: number | null;
  consecutive_minutes: number | null;
  cumulative_minutes: number | null;
  window_hours: number;
  mean_kinetic_above: number | null;
  activation_kj_per_mol: number;
}

export interface ProductProfile extends ProductBody {
  product_id: string;
  version: number;
}

export interface RuleBody {
  name: string;
  device: string;
  metric: string;
  labels: Record<string, string>;
  condition: Condition;
  severity: Severity;
  sms: string[];
  enabled: boolean;
}

export interface Rule extends RuleBody {
  rule_id: string;
  version: number;
  profile: ProductProfile | null;
}

export type Outcome = "came_true" | "false_alarm" | "still_predicted" | "missed" | "observed";

export interface LeadTimes {
  least: number;
  median: number;
  greatest: number;
}

export interface HistorySeries {
  device: string;
  metric: string;
  unit: string;
  readings: { ts: string; value: number }[];
}

/** What a rule would have done. */
export interface RehearsalResult {
  readings: number;
  devices: number;
  forecasts: number;
  estimated_forecasts: number;
  alerts: number;
  sms: number;
  came_true: number;
  false_alarms: number;
  missed: number;
  lead_minutes: LeadTimes | null;
  incidents: Incident[];
  /** What became of each of the incidents, in their order. */
  outcomes: Outcome[];
  series: HistorySeries[];
}

/** A problem detail (RFC 9457). */
export interface Problem {
  title: string;
  status: number;
  detail?: string;
  correlation_id?: string;
  errors?: { place: string; field: string; message: string }[];
}

export interface LivePoint {
  metric: string;
  ts: string;
  value: number;
  unit: string;
}

/** The events of /v1/events by name. */
export interface LiveEvents {
  watching: { devices: string[] | null; live: boolean };
  incidents: { open: Incident[] };
  readings: { device: string; readings: LivePoint[]; replayed: boolean };
  incident: Incident & { event: string };
  forecast: Forecast;
  dropped: { count: number; since: string };
  reset: { reason: string };
  heartbeat: { time: string };
}

export interface QueueStatus {
  queue: string;
  waiting: number;
  in_work: number;
  oldest_seconds: number | null;
  dead_letters: number;
}

export interface ReadingsStatus {
  devices: number;
  reporting: number;
  newest_at: string | null;
  newest_seconds: number | null;
}

export interface ForecastsStatus {
  series: number;
  fresh: number;
  newest_at: string | null;
  models: Record<string, number>;
}

export interface ModelStatus {
  model_id: string;
  metric: string;
  step_seconds: number;
  trained_to: string;
  relative_loss: number;
  coverage: number;
}

export interface PipelineStatus {
  now: string;
  queues: QueueStatus[];
  quarantined: number;
  readings: ReadingsStatus;
  forecasts: ForecastsStatus;
  models: ModelStatus[];
}

export interface MetricSkill {
  metric: string;
  forecasts: number;
  wql_relative: number | null;
  coverage: number | null;
  warnings: number;
  precision: number | null;
  breaches: number;
  recall: number | null;
  median_lead_minutes: number | null;
}

export interface SkillReport {
  since: string;
  scored_until: string | null;
  metrics: MetricSkill[];
}

export interface QuarantinedMessage {
  message_id: string;
  device: string | null;
  topic: string;
  received_at: string;
  reason: string;
  detail: string;
  size: number;
  truncated: boolean;
}

export interface QuarantinedPayload extends QuarantinedMessage {
  payload: string;
  text: string | null;
}

export type Channel = "sms" | "email" | "webhook" | "slack" | "mqtt";
export type Day = "mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun";

/** A part of the day by local time, as HH:MM. */
export interface DaySpan {
  start: string;
  end: string;
  days: Day[];
}

export interface RecipientBody {
  name: string;
  roles: string[];
  sms: string | null;
  email: string | null;
  webhook: { url: string; secret: string | null } | null;
  slack: string | null;
  language: "en" | "de";
  timezone: string;
  schedule: DaySpan[];
  quiet_hours: DaySpan | null;
  critical_overrides: boolean;
  min_severity: Severity;
  device: string;
  labels: Record<string, string>;
  enabled: boolean;
}

export interface RecipientShown extends RecipientBody {
  recipient_id: string;
  version: number;
}

export interface Step {
  after_minutes: number;
  /** `*` stands for every role. */
  roles: string[];
  /** Null for all that a recipient has. */
  channels: Channel[] | null;
}

export interface EscalationBody {
  rule: string;
  device: string;
  labels: Record<string, string>;
  severities: Severity[];
  steps: Step[];
  repeat_minutes: number | null;
  max_repeats: number;
  group_by: string | null;
  group_interval_seconds: number;
  updates: Channel[];
}

export interface Escalation extends EscalationBody {
  escalation_id: string;
  version: number;
}

export interface KeyState {
  key_id: string;
  role: Role;
  name: string;
  scopes: string[];
  created_at: string;
  expires_at: string;
  revoked_at: string | null;
}

export interface NewKey extends KeyState {
  key: string;
}

export interface SilenceBody {
  device: string;
  metric: string;
  rule: string;
  labels: Record<string, string>;
  start: string;
  end: string;
  reason: string;
}

export interface Silence extends SilenceBody {
  silence_id: string;
  created_by: string;
  version: number;
}

export interface NoticeShown {
  occasion: "opened" | "observed" | "acknowledged" | "resolved";
  step: number;
  channel: Channel;
  recipient: string;
  created_at: string;
  sent_at: string | null;
  text: string | null;
  withheld: string | null;
  postponed: string | null;
  refused: string | null;
}

export interface Dashboards {
  items: string[];
}

export interface DashboardLink {
  name: string;
  url: string;
}
