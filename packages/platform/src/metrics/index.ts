export {
  createMetrics,
  type CounterOptions,
  type GaugeOptions,
  type HistogramOptions,
  type Metrics,
  type MetricsOptions,
} from "./metrics.ts";
