const kafkaUrl = /^kafka:\/\/([^\s:/@,]+:\d{1,5}(?:,[^\s:/@,]+:\d{1,5})*)\/?$/;

/** The brokers of `kafka://host:port[,host:port…]`; undefined for any other text. */
export function parseBrokers(url: string): string[] | undefined {
  return kafkaUrl.exec(url)?.[1]?.split(",");
}
