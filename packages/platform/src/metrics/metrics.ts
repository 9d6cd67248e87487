import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from "prom-client";

export interface CounterOptions<L extends string> {
  /** snake_case, with its unit, ending in "_total". */
  readonly name: string;
  readonly help: string;
  /** Only what has few values: every combination is a series. Default: none. */
  readonly labels?: readonly L[];
}

export interface GaugeOptions<L extends string> extends CounterOptions<L> {
  /** Called at each scrape, to set the value then. */
  readonly collect?: (gauge: Gauge<L>) => void | Promise<void>;
}

export interface HistogramOptions<L extends string> extends CounterOptions<L> {
  /** Upper bounds, ascending. Default: seconds, from 1 ms to 10 s. */
  readonly buckets?: readonly number[];
}

/** The metrics of one process. Asking twice for one name gives the same metric. */
export interface Metrics {
  readonly registry: Registry;
  counter<L extends string = never>(options: CounterOptions<L>): Counter<L>;
  gauge<L extends string = never>(options: GaugeOptions<L>): Gauge<L>;
  histogram<L extends string = never>(options: HistogramOptions<L>): Histogram<L>;
}

export interface MetricsOptions {
  /** A label of every series. */
  readonly service: string;
  /** Adds those of the process: CPU, memory, event loop lag, garbage collection. Default: false. */
  readonly processMetrics?: boolean;
}

const defaultBucketsSeconds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** How often the event loop's lag is sampled; it counts into the lag. The usual 10 ms cost a resting process 3 ms a second. */
const lagSampleMs = 100;

export function createMetrics(options: MetricsOptions): Metrics {
  const registry = new Registry();
  registry.setDefaultLabels({ service: options.service });
  if (options.processMetrics === true) {
    collectDefaultMetrics({ register: registry, eventLoopMonitoringPrecision: lagSampleMs });
  }

  return {
    registry,
    counter<L extends string>({ name, help, labels = [] }: CounterOptions<L>) {
      const known = registry.getSingleMetric(name) as Counter<L> | undefined;
      return known ?? new Counter<L>({ name, help, labelNames: [...labels], registers: [registry] });
    },
    gauge<L extends string>({ name, help, labels = [], collect }: GaugeOptions<L>) {
      const known = registry.getSingleMetric(name) as Gauge<L> | undefined;
      if (known !== undefined) return known;
      const gauge: Gauge<L> = new Gauge<L>({
        name,
        help,
        labelNames: [...labels],
        registers: [registry],
        ...(collect === undefined ? {} : { collect: () => collect(gauge) }),
      });
      return gauge;
    },
    histogram<L extends string>({
      name,
      help,
      labels = [],
      buckets = defaultBucketsSeconds,
    }: HistogramOptions<L>) {
      const known = registry.getSingleMetric(name) as Histogram<L> | undefined;
      if (known !== undefined) return known;
      return new Histogram<L>({
        name,
        help,
        labelNames: [...labels],
        buckets: [...buckets],
        registers: [registry],
      });
    },
  };
}
