package notebook

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/perijove/perijove/kernel/internal/highlight"
	"github.com/perijove/perijove/kernel/internal/output"
)

// export exports a notebook of one cell.
func export(t *testing.T, c *Cell) string {
	t.Helper()
	page, err := (&Notebook{Cells: []*Cell{c}}).HTML(HTMLOptions{Title: "T"})
	if err != nil {
		t.Fatal(err)
	}
	return string(page)
}

func TestPageShowsOutputs(t *testing.T) {
	show := func(data output.Bundle) Output { return Output{Type: DisplayOutput, Data: data} }
	tests := []struct {
		name   string
		output Output
		want   string
		lacks  string
	}{
		{"stream", Output{Type: StreamOutput, Name: output.Stdout, Text: "a<b\n\x1b[1;31mred\x1b[0m"},
			`<pre class="stdout">a&lt;b` + "\n" + `<span class="ansi-bold fg1">red</span></pre>`, ""},
		{"stderr", Output{Type: StreamOutput, Name: output.Stderr, Text: "x"}, `<pre class="stderr">x</pre>`, ""},
		{"error", Output{Type: ErrorOutput, Err: &output.Error{Name: "panic", Value: "v", Traceback: []string{"one", "two<"}}},
			"<pre class=\"error\"><span class=\"ansi-bold\">one</span>\ntwo&lt;</pre>", ""},
		{"error without traceback", Output{Type: ErrorOutput, Err: &output.Error{Name: "panic", Value: "v"}},
			`<pre class="error">panic: v</pre>`, ""},
		{"a widget without text", show(output.Bundle{"application/vnd.jupyter.widget-view+json": map[string]any{"model_id": "x"}, "text/plain": ""}), "", `class="result"`},
		{"html before text", show(output.Bundle{"text/html": "<b>x</b>", "text/plain": "plain"}), "<b>x</b>", "plain"},
		{"markdown", show(output.Bundle{"text/markdown": "*x*", "text/plain": "plain"}), "<em>x</em>", "plain"},
		{"svg is an image", show(output.Bundle{"image/svg+xml": "<svg/>", "image/png": "aGk="}),
			`<img src="data:image/svg+xml;base64,PHN2Zy8+">`, "aGk="},
		{"png with size", Output{Type: DisplayOutput, Data: output.Bundle{"image/png": "aGk=\n", "text/plain": `"alt"`},
			Metadata: map[string]any{"image/png": map[string]any{"width": 3, "height": 4.0}}},
			`<img src="data:image/png;base64,aGk=" alt="&#34;alt&#34;" width="3" height="4">`, ""},
		{"jpeg", show(output.Bundle{"image/jpeg": "aGk="}), `<img src="data:image/jpeg;base64,aGk=">`, ""},
		{"json", show(output.Bundle{"application/json": map[string]any{"a": 1}}), `<span class="nt">&#34;a&#34;</span>`, ""},
		{"latex", show(output.Bundle{"text/latex": "$a<b$"}), `<math alttext="a&lt;b"><mrow><mi>a</mi><mo>&lt;</mo><mi>b</mi></mrow></math>`, "$"},
		{"latex on a line of its own", show(output.Bundle{"text/latex": "$$\na\n$$"}), `<math display="block" alttext="a"><mi>a</mi></math>`, "$"},
		{"latex environment", show(output.Bundle{"text/latex": `\begin{equation}a\end{equation}`}), `<math display="block"`, ""},
		{"latex that is not known", show(output.Bundle{"text/latex": `$\foo<$`}), `<span class="math">\foo&lt;</span>`, ""},
		{"text", Output{Type: ResultOutput, Data: output.Bundle{"text/plain": "<nil>"}}, `<pre class="result">&lt;nil&gt;</pre>`, ""},
		{"nothing to show", show(output.Bundle{"application/x": "1", "application/a": "2"}), "cannot show; its types: application/a, application/x", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			page := export(t, &Cell{Type: CodeCell, Source: "x := 1", ExecutionCount: 7, Outputs: []Output{tt.output}})
			if !strings.Contains(page, tt.want) {
				t.Errorf("the page lacks %s:\n%s", tt.want, page[strings.Index(page, "<main>"):])
			}
			if tt.lacks != "" && strings.Contains(page, tt.lacks) {
				t.Errorf("the page has %s", tt.lacks)
			}
			if !strings.Contains(page, `<div class="prompt">7</div>`) {
				t.Error("the page lacks the execution count")
			}
		})
	}
}

func TestPageRendersMarkdown(t *testing.T) {
	tests := []struct{ name, source, want string }{
		{"table", "| a | b |\n|---|--:|\n| 1 | 2 |", `<td style="text-align:right">2</td>`},
		{"go code", "```go\nvar x int\n```", `<span class="kd">var</span>`},
		{"plain code", "```\n┌─<\n```", "┌─&lt;"},
		{"math", "so $a_1 * b_2 * c<d$.", `so <math alttext="a_1 * b_2 * c&lt;d"><mrow><msub><mi>a</mi><mn>1</mn></msub><mo>∗</mo>`},
		{"block math", "$$\na_1\n$$", `<math display="block" alttext="a_1"><msub><mi>a</mi><mn>1</mn></msub></math>`},
		{"unknown math", `$\foo_a$ and $\frac{$`, `<span class="math">\foo_a</span> and <span class="math">\frac{</span>`},
		{"prices", "$5 or $6", "<p>$5 or $6</p>"},
		{"code keeps its dollars", "`$a$`", "<code>$a$</code>"},
		{"lone dollars", "$$ x", "<p>$$ x</p>"},
		{"heading", "# A *b* `c`", `<h1 id="A-b-c">A <em>b</em> <code>c</code></h1>`},
		{"html", "a <kbd>b</kbd>", "<kbd>b</kbd>"},
		{"attachment", "![p](attachment:p.png)", `<img src="data:image/png;base64,aGk=" alt="p">`},
		{"missing attachment", "![p](attachment:q.png)", `<img src="attachment:q.png"`},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			page := export(t, &Cell{Type: MarkdownCell, Source: tt.source,
				Attachments: map[string]map[string]string{"p.png": {"image/png": "aGk="}}})
			if body := page[strings.Index(page, "<main>"):]; !strings.Contains(body, tt.want) {
				t.Errorf("want %s in\n%s", tt.want, body)
			}
		})
	}
}

func TestPageHasTitleAndContents(t *testing.T) {
	cell := func(s string) *Cell { return &Cell{Type: MarkdownCell, Source: s} }
	nb := &Notebook{Cells: []*Cell{cell("# The & title\n\n## One"), cell("## Same\n\n### Deep\n\n#### Deeper"), cell("## Same")}}
	data, err := nb.HTML(HTMLOptions{Title: "file"})
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for _, want := range []string{
		"<title>The &amp; title</title>",
		`<li class="level2"><a href="#One">One</a></li>`,
		`<li class="level3"><a href="#Deep">Deep</a></li>`,
		`<a href="#Same-1">Same</a>`, `<h2 id="Same-1">`,
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(page, `href="#Deeper"`) || strings.Contains(page, `href="#The-`) {
		t.Error("contents list the title or headings too deep")
	}
	if one := export(t, cell("## a\n\n## b")); strings.Contains(one, "<nav") || !strings.Contains(one, "<title>T</title>") {
		t.Error("two headings made a table of contents")
	}
}

func TestPageIsSelfContained(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "p.png"), []byte("hi"), 0o644); err != nil {
		t.Fatal(err)
	}
	nb := &Notebook{Cells: []*Cell{{Type: MarkdownCell, Source: "![](p.png) ![](none.png)"}}}
	data, err := nb.HTML(HTMLOptions{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	page := string(data)
	for _, want := range []string{`src="data:image/png;base64,aGk="`, `src="none.png"`, "default-src 'none'", "prefers-color-scheme: dark", "@media print"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page lacks %s", want)
		}
	}
	if strings.Contains(page, "<script") || strings.Contains(page, "<link") {
		t.Error("the page has scripts or links to styles")
	}
}

// TestCodeColours: the tokens of Go code have colours. The colours are CSS variables, which differ between the light
// and the dark scheme and whose contrast is tested.
func TestCodeColours(t *testing.T) {
	css, err := pageFiles.ReadFile("page.css")
	if err != nil {
		t.Fatal(err)
	}
	rules := regexp.MustCompile(`(?m)^\.highlight (?::is\((.*)\)|\.(\w+)) \{ (?:color: var\(--\w+\);|font-weight)`).FindAllStringSubmatch(string(css), -1)
	coloured := map[string]bool{}
	for _, r := range rules {
		for class := range strings.SplitSeq(r[1]+r[2], ", ") {
			coloured[strings.TrimPrefix(class, ".")] = true
		}
	}
	for language, source := range map[string]string{
		"go":     "// comment\nfunc twice(n int) string { return fmt.Sprint(2*n, \"text\", 'r', 1.5, nil, `raw`, len(s)) }\n/* c */ package x",
		"python": "# comment\nfrom a import b\nif not x: print(None)", "c": "#include <a>", "html": "<a href=\"x\">", "diff": "@@\n+a\n-b", "json": `{"a": true}`,
	} {
		tokens := regexp.MustCompile(`<span class="(\w+)">`).FindAllStringSubmatch(string(highlight.HTML(source, language)), -1)
		if len(tokens) == 0 {
			t.Errorf("%s: few tokens: %s", language, highlight.HTML(source, language))
		}
		for _, m := range tokens {
			if !coloured[m[1]] {
				t.Errorf("%s: class %s has no colour", language, m[1])
			}
		}
	}
}

func TestANSI(t *testing.T) {
	tests := []struct{ in, want string }{
		{"plain & <", "plain &amp; &lt;"},
		{"\x1b[32mg\x1b[39m\x1b[41mb\x1b[m.", `<span class="fg2">g</span><span class="bg1">b</span>.`},
		{"\x1b[1;3;4;7;9mx\x1b[22;23;24;27;29my", `<span class="ansi-bold ansi-italic ansi-underline ansi-inverse ansi-strike">x</span>y`},
		{"\x1b[38;5;196mx\x1b[48;2;1;2;255my", `<span class="fg" style="--light:#cf0000;--dark:#ff7474">x</span><span style="background:#0102ff;color:#ffa7a7">y</span>`},
		{"\x1b[38;5;244mx\x1b[94my", `<span class="fg" style="--light:#666666;--dark:#a0a0a0">x</span><span class="fg4">y</span>`},
		{"\x1b[7;31mx\x1b[27my\x1b[0;7mz", `<span style="background:#b3221a;color:#ffffff">x</span><span class="fg1">y</span><span class="ansi-inverse">z</span>`},
		{"\x1b[38;5;9mx\x1b[48;5;2my", `<span class="fg1">x</span><span class="fg1 bg2">y</span>`},
		{"a\x1b[2Kb\x1b]0;title\x07c\x1b[?25ld", "abcd"},
		{"\x1b[38mx\x1b[38;5my\x1b[99999999999999999999mz", "xyz"},
		{"10 %\r20 %\r\nnext", "20 %\nnext"},
		{"abc\b\bX\b", "a"},
		{"\b\bx", "x"},
	}
	for _, tt := range tests {
		if got := ansiHTML(tt.in); got != tt.want {
			t.Errorf("%q: got %s, want %s", tt.in, got, tt.want)
		}
	}
}
