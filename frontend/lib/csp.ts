/** Where OpenAI serves its element and the frame behind it. */
export const CHATKIT_CDN = "https://cdn.platform.openai.com";

/**
 * The content security policy of a page. `hosted`: OpenAI's element may be loaded too. `pictures`: the
 * domains, with commas between them or as JSON, from which pictures may come. `bucket`: its server's address, where
 * files are put straight into it.
 */
export function contentSecurityPolicy(options: {
  nonce: string;
  hosted: boolean;
  development: boolean;
  pictures: string;
  bucket: string | null;
}): string {
  const { nonce, hosted, development, pictures, bucket } = options;
  const cdn = hosted ? [CHATKIT_CDN] : [];
  const uploads = bucket && URL.canParse(bucket) ? [new URL(bucket).origin] : [];
  const directives: Record<string, string[]> = {
    "default-src": ["'self'"],
    "script-src": [
      "'self'",
      `'nonce-${nonce}'`,
      "'strict-dynamic'",
      ...cdn,
      // the development server compiles in the browser
      ...(development ? ["'unsafe-eval'"] : []),
    ],
    // OpenAI's element can't know our nonce, nor does the development server use it
    "style-src": ["'self'", hosted || development ? "'unsafe-inline'" : `'nonce-${nonce}'`],
    "img-src": ["'self'", "data:", "blob:", ...withSubdomains(pictures)],
    "media-src": ["'self'"],
    "font-src": ["'self'"],
    "connect-src": ["'self'", ...cdn, ...uploads, ...(development ? ["ws:"] : [])],
    "frame-src": hosted ? cdn : ["'none'"],
    "object-src": ["'none'"],
    "base-uri": ["'none'"],
    "form-action": ["'self'"],
    "frame-ancestors": ["'none'"],
  };
  return Object.entries(directives)
    .map(([name, sources]) => `${name} ${sources.join(" ")}`)
    .join("; ");
}

function withSubdomains(domains: string): string[] {
  const named = domains.match(/[a-z0-9][a-z0-9.-]*/g) ?? [];
  return named.flatMap((domain) => [domain, `*.${domain}`]);
}
