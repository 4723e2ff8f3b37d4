package highlight

import (
	"html"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

// tokens returns the marked tokens, each with its class.
func tokens(source, language string) string {
	var list []string
	for _, m := range regexp.MustCompile(`<span class="(\w+)">([^<]*)</span>`).FindAllStringSubmatch(string(HTML(source, language)), -1) {
		list = append(list, m[1]+":"+html.UnescapeString(m[2]))
	}
	return strings.Join(list, " ")
}

func TestTokens(t *testing.T) {
	for _, c := range []struct{ language, source, want string }{
		{"go", "x := f(0x1F, 1.5e-3, 2) // end", "nf:f mi:0x1F mf:1.5e-3 mi:2 c1:// end"},
		{"go", "import \"fmt\" /* a\nb */ for range 3 { var s string = `a\nb` }", "kn:import s:\"fmt\" cm:/* a\nb */ k:for k:range mi:3 kd:var kt:string s:`a\nb`"},
		{"go", `a["x\"y"] = '\'' + "open`, `s:"x\"y" s:'\''`},
		{"go", "a[1:2] = b[...]", "mi:1 mi:2"},
		{"go", "formatted, ifs := nil, fortune", "kc:nil"},
		{"Go", "len(π)", "nb:len"},
		{"python", "def f(x):\n  \"\"\"a \"b\"\n\"\"\"\n  return 'c'  # d", "k:def nf:f s:\"\"\"a \"b\"\n\"\"\" k:return s:'c' c1:# d"},
		{"bash", "for i in 1; do echo --for \"$i\"; done", "k:for k:in mi:1 k:do nb:echo s:\"$i\" k:done"},
		{"json", `{"a" : [1, true], "b": "c"}`, `nt:"a" mi:1 kc:true nt:"b" s:"c"`},
		{"yaml", "name: 'x' # y", "nt:name s:'x' c1:# y"},
		{"yaml", "20°C: 10€", "mi:20 nt:C mi:10"},
		{"sql", "SELECT count(*) From t -- all", "k:SELECT nf:count k:From c1:-- all"},
		{"html", "<!-- c --><a href='x'>for</a> b", "cm:<!-- c --> nt:a na:href s:'x' nt:a"},
		{"html", "<a\nhref", "nt:a na:href"},
		{"diff", "@@ 1\n+for\n-x\n y", "gh:@@ 1 gi:+for gd:-x"},
		{"unknown", "for x := range 3 {}", ""},
		{"", "for", ""},
	} {
		if got := tokens(c.source, c.language); got != c.want {
			t.Errorf("%s %q:\ngot  %s\nwant %s", c.language, c.source, got, c.want)
		}
	}
}

// TestText: for any source, the HTML without its tags has the text of the source.
func TestText(t *testing.T) {
	pieces := []string{"for", " ", "\n", "\"", "'", "`", "\\", "/*", "*/", "//", "#", "<", ">", "&", "<!--", "-->", "1.5", "0x", "..", ".", "e+", "é", "\xff", "f(", ":", "=", "+", "-", "@@", "{", "_a1", "\"\"\""}
	tags := regexp.MustCompile(`^<pre class="highlight"><code>|<span class="\w+">|</span>|</code></pre>$`)
	random := rand.New(rand.NewPCG(1, 2))
	for name := range languages() {
		for range 300 {
			var source strings.Builder
			for range random.IntN(30) {
				source.WriteString(pieces[random.IntN(len(pieces))])
			}
			if got := html.UnescapeString(tags.ReplaceAllString(string(HTML(source.String(), name)), "")); got != source.String() {
				t.Fatalf("%s: %q became %q", name, source.String(), got)
			}
		}
	}
}
