import { createTransport } from "nodemailer";
import type { Mail } from "../domain/mail.ts";

/** Hands a mail to whatever delivers it. */
export interface Mailer {
  /** @throws When the mail was not taken over; it may be sent again. */
  send(mail: Mail): Promise<void>;
  close(): void;
}

const timeoutMs = 10_000;

/**
 * By SMTP.
 *
 * @param url - "smtps://user:password@host:465"; or "smtp://…:587", which goes on only once the server has turned to
 *   TLS, save on the loopback.
 */
export function createSmtpMailer(url: string, from: string): Mailer {
  const { protocol, hostname } = new URL(url);
  const transport = createTransport({
    url,
    requireTLS: protocol === "smtp:" && !isLoopback(hostname),
    connectionTimeout: timeoutMs,
    greetingTimeout: timeoutMs,
    socketTimeout: timeoutMs,
    disableFileAccess: true,
    disableUrlAccess: true,
  });
  return {
    async send({ to, subject, text }) {
      // As an object: text would be parsed, and an address could then name several recipients.
      await transport.sendMail({ from, to: { name: "", address: to }, subject, text });
    },
    close: () => transport.close(),
  };
}

export function isLoopback(host: string): boolean {
  return /^(?:127(?:\.\d{1,3}){3}|localhost|\[?::1\]?)$/.test(host);
}
