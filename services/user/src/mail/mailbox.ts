import type { AdminRoute } from "@chirrup/platform";
import type { Mail } from "../domain/mail.ts";
import { isLoopback } from "./mailer.ts";
import type { Mailer } from "./mailer.ts";

/** Mails that are kept, the newest. */
const maxMails = 200;

/**
 * For development: keeps the mails in this process's memory instead of sending them, and shows them at `/mailbox`.
 * In memory alone, since a mail holds a token in clear.
 */
export interface Mailbox extends Mailer {
  /** A page; with `Accept: application/json` the mails as JSON, the newest first: `{mails: [{to, subject, text}]}`. */
  readonly route: AdminRoute;
}

export function createMailbox(): Mailbox {
  const mails: Mail[] = [];
  return {
    send(mail) {
      mails.unshift(mail);
      mails.splice(maxMails);
      return Promise.resolve();
    },
    close: () => undefined,
    route(request, response) {
      // A page of somebody's that points its own name here must not read along (DNS rebinding).
      const host = (request.headers.host ?? "").replace(/:\d+$/, "");
      if (!isLoopback(host)) {
        response.writeHead(403, { "content-type": "text/plain" }).end("only for this machine\n");
        return;
      }
      const wantsJson = request.headers.accept?.includes("application/json") ?? false;
      response
        .writeHead(200, {
          "content-type": wantsJson ? "application/json" : "text/html; charset=utf-8",
          "cache-control": "no-store",
          "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'",
          "referrer-policy": "no-referrer",
        })
        .end(wantsJson ? JSON.stringify({ mails }) : page(mails));
    },
  };
}

function page(mails: readonly Mail[]): string {
  const articles = mails.map(
    ({ to, subject, text }) =>
      `<article><h2>${escape(subject)}</h2><p>To: ${escape(to)}</p><pre>${linked(escape(text))}</pre></article>`,
  );
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Mailbox</title>
<style>body{font:16px system-ui;max-width:50rem;margin:2rem auto}pre{white-space:pre-wrap}</style>
<h1>Mailbox</h1><p>What would have been mailed, the newest first.</p>${articles.join("") || "<p>Nothing yet.</p>"}</html>`;
}

function linked(escaped: string): string {
  return escaped.replaceAll(/https?:\/\/[^\s<]+/g, (url) => `<a href="${url}">${url}</a>`);
}

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
}
