/** What Better Auth is told, the same for the app and for its migration. */

import { jwt } from "better-auth/plugins";
import { SignJWT } from "jose";
import { PostgresDialect } from "kysely";
import { Pool } from "pg";
import { signInLimits } from "./sign-in-limits.mjs";

const MIN_SECRET = 32;
const ALGORITHMS = ["EdDSA", "HS256"];
const LOOPBACK = ["127.0.0.1", "localhost"];

/**
 * The options by the environment.
 *
 * @param {NodeJS.ProcessEnv} env
 * @throws {Error} naming the variables that are missing or wrong
 */
export function authOptions(env) {
  const { DATABASE_URL, BETTER_AUTH_SECRET, BETTER_AUTH_URL, AUTH_TOKEN_ALGORITHM } = checked(env);
  const baseURL = new URL(BETTER_AUTH_URL).origin;
  return {
    baseURL,
    secret: BETTER_AUTH_SECRET,
    trustedOrigins: sameMachine(baseURL),
    database: {
      // named in every statement: a pooler keeps no `search_path`
      schemaName: "better_auth",
      dialect: new PostgresDialect({
        pool: new Pool({ connectionString: DATABASE_URL, max: 5, connectionTimeoutMillis: 5_000 }),
      }),
      type: /** @type {const} */ ("postgres"),
      transaction: true,
    },
    emailAndPassword: { enabled: true },
    rateLimit: { enabled: env.AUTH_RATE_LIMIT !== "off" },
    hooks: { before: signInLimits({ tries: env.AUTH_RATE_LIMIT !== "off" }) },
    // by default a header of the caller's is nobody's address: all share one count
    advanced: {
      ipAddress: { ipAddressHeaders: env.AUTH_ADDRESS_HEADER ? [env.AUTH_ADDRESS_HEADER] : [] },
    },
    telemetry: { enabled: false },
    plugins: [jwt(AUTH_TOKEN_ALGORITHM === "HS256" ? shared(BETTER_AUTH_SECRET, baseURL) : TOKENS)],
  };
}

/** @param {NodeJS.ProcessEnv} env */
function checked(env) {
  const { DATABASE_URL, BETTER_AUTH_URL, BETTER_AUTH_SECRET, AUTH_TOKEN_ALGORITHM } = env;
  const faults = [
    !DATABASE_URL && "DATABASE_URL is not set",
    !URL.canParse(BETTER_AUTH_URL ?? "") && "BETTER_AUTH_URL is not an address",
    (BETTER_AUTH_SECRET ?? "").length < MIN_SECRET &&
      `BETTER_AUTH_SECRET has fewer than ${MIN_SECRET} characters`,
    AUTH_TOKEN_ALGORITHM &&
      !ALGORITHMS.includes(AUTH_TOKEN_ALGORITHM) &&
      `AUTH_TOKEN_ALGORITHM is neither ${ALGORITHMS.join(" nor ")}`,
  ].filter(Boolean);
  if (!DATABASE_URL || !BETTER_AUTH_URL || !BETTER_AUTH_SECRET || faults.length > 0) {
    throw new Error(`The sign-in is not configured: ${faults.join("; ")} (see .env.example).`);
  }
  return { DATABASE_URL, BETTER_AUTH_URL, BETTER_AUTH_SECRET, AUTH_TOKEN_ALGORITHM };
}

/**
 * The other name of a loopback address: people type both.
 *
 * @param {string} baseURL
 */
function sameMachine(baseURL) {
  const url = new URL(baseURL);
  if (!LOOPBACK.includes(url.hostname)) return [];
  return LOOPBACK.map((name) => `${url.protocol}//${name}:${url.port}`);
}

/**
 * The tokens for chatbridge, signed with a key of the app's own: they say who it is, and nothing else.
 *
 * @satisfies {import("better-auth/plugins").JwtOptions}
 */
const TOKENS = { disableSettingJwtHeader: true, jwt: { definePayload: () => ({}) } };

/**
 * The same, signed with the secret (HS256).
 *
 * @param {string} secret
 * @param {string} baseURL
 * @returns {import("better-auth/plugins").JwtOptions}
 */
function shared(secret, baseURL) {
  const key = new TextEncoder().encode(secret);
  return {
    ...TOKENS,
    // a signer of one's own asks for both; there is no key set to publish
    jwks: { remoteUrl: `${baseURL}/api/auth/jwks`, keyPairConfig: { alg: "ES256" } },
    jwt: {
      ...TOKENS.jwt,
      sign: (payload) =>
        new SignJWT(payload).setProtectedHeader({ alg: "HS256", typ: "JWT" }).sign(key),
    },
  };
}
