import { getSessionCookie } from "better-auth/cookies";
import { NextResponse, type NextRequest } from "next/server";
import { contentSecurityPolicy } from "@/lib/csp";

/** What every page passes: the gate of the dashboard, and its policy. */
export function proxy(request: NextRequest): NextResponse {
  const { pathname, search } = request.nextUrl;
  // whether there is a session at all; whether it is a good one is the dashboard's to say
  if (isInside(pathname) && !getSessionCookie(request)) {
    return NextResponse.redirect(signIn(request, pathname + search));
  }
  return page(request);
}

function isInside(pathname: string): boolean {
  return pathname === "/dashboard" || pathname.startsWith("/dashboard/");
}

function signIn(request: NextRequest, next: string): URL {
  const url = new URL("/login", request.url);
  url.searchParams.set("next", next);
  return url;
}

function page(request: NextRequest): NextResponse {
  const nonce = btoa(crypto.randomUUID());
  const policy = contentSecurityPolicy({
    nonce,
    hosted: Boolean(process.env.CHATKIT_DOMAIN_KEY),
    development: process.env.NODE_ENV === "development",
    pictures: process.env.CHATBRIDGE_ALLOWED_IMAGE_DOMAINS ?? "",
    bucket: process.env.CHATBRIDGE_BLOBS__ENDPOINT ?? null,
  });
  const headers = new Headers(request.headers);
  headers.set("x-nonce", nonce);
  // the dashboard's layout does not know for which of its pages it is drawn
  headers.set("x-path", request.nextUrl.pathname + request.nextUrl.search);
  headers.set("Content-Security-Policy", policy);
  const response = NextResponse.next({ request: { headers } });
  response.headers.set("Content-Security-Policy", policy);
  return response;
}

export const config = {
  // pages: of each request that passes here up to 10 MB are kept in memory
  matcher: ["/((?!api/|_next/|element/|icon.svg).*)"],
};
