import * as assert from "node:assert/strict";
import { anchors, codeBlocks, links } from "../../support/markdown";

const page = `# A page, with \`code\`

[one](other.md#here), ![two](images/two.svg), \`[not](a-link.md)\`

<!-- tried: once -->

\`\`\`sh
# not a heading
echo [not](a-link.md)
\`\`\`

1. Indented:

   \`\`\`yaml
   a: 1
     b
   \`\`\`

## Twice

## Twice
`;

describe("markdown helper", () => {
  it("links, without those in code", () => {
    assert.deepEqual(links(page), ["other.md#here", "images/two.svg"]);
  });

  it("anchors as GitHub makes them", () => {
    assert.deepEqual([...anchors(page)], ["a-page-with-code", "twice", "twice-1"]);
  });

  it("blocks, with what the comment above says", () => {
    assert.deepEqual(codeBlocks(page), [
      { language: "sh", text: "# not a heading\necho [not](a-link.md)", line: 7, tried: "once" },
      { language: "yaml", text: "a: 1\n  b", line: 14 },
    ]);
    assert.throws(() => codeBlocks("```sh\necho"), /line 1 has no end/);
  });
});
