import hooks from "eslint-plugin-react-hooks";
import tseslint from "typescript-eslint";

const features = ["account", "campaign", "connection", "contact"];

export default tseslint.config(
  { ignores: ["dist", "node_modules", "src/api/schema.gen.ts", "e2e/results", "e2e/report"] },
  ...tseslint.configs.strict,
  hooks.configs.flat.recommended,
  {
    // api, lib and components know nothing of features or routes
    files: ["src/{api,lib,components}/**"],
    rules: { "no-restricted-imports": ["error", { patterns: ["**/features/**", "**/routes/**"] }] },
  },
  // features meet only in routes
  ...features.map((feature) => ({
    files: [`src/features/${feature}/**`],
    rules: {
      "no-restricted-imports": [
        "error",
        { patterns: ["**/routes/**", ...features.filter((other) => other !== feature).map((other) => `**/${other}/**`)] },
      ],
    },
  })),
);
