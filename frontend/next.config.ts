import type { NextConfig } from "next";

const everywhere = [
  { key: "X-Content-Type-Options", value: "nosniff" },
  { key: "Referrer-Policy", value: "same-origin" },
  { key: "Permissions-Policy", value: "camera=(), geolocation=(), microphone=()" },
];

const config: NextConfig = {
  reactStrictMode: true,
  poweredByHeader: false,
  // the element has a package of its own beside this one
  turbopack: { root: import.meta.dirname },
  headers: async () => [{ source: "/:path*", headers: everywhere }],
};

export default config;
