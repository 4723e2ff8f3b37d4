package mathml

import (
	"encoding/xml"
	"io"
	"strings"
	"testing"
)

// children has the number of child elements of each element; -1 means any number.
var children = map[string]int{
	"mfrac": 2, "msub": 2, "msup": 2, "msubsup": 3, "munder": 2, "mover": 2, "munderover": 3, "mroot": 2,
	"mi": 0, "mn": 0, "mo": 0, "mtext": 0, "mspace": 0,
	"math": -1, "mrow": -1, "msqrt": -1, "mstyle": -1, "mtable": -1, "mtr": -1, "mtd": -1, "mphantom": -1, "mpadded": -1,
}

// check checks that MathML is well-formed, and that each element has the required number of
// children.
func check(t *testing.T, tex, out string) {
	t.Helper()
	dec := xml.NewDecoder(strings.NewReader(out))
	type open struct {
		name string
		n    int
	}
	var stack []open
	for {
		tok, err := dec.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("%s: %v in %s", tex, err, out)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			if len(stack) > 0 {
				stack[len(stack)-1].n++
			}
			stack = append(stack, open{tok.Name.Local, 0})
		case xml.EndElement:
			e := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			want, ok := children[e.name]
			if !ok || want >= 0 && e.n != want {
				t.Fatalf("%s: <%s> has %d children in %s", tex, e.name, e.n, out)
			}
		}
	}
}

// inner returns a translated formula without its math element.
func inner(t *testing.T, tex string) string {
	t.Helper()
	out, err := Convert(tex, false)
	if err != nil {
		t.Fatal(err)
	}
	check(t, tex, out)
	return strings.TrimSuffix(out[strings.Index(out, ">")+1:], "</math>")
}

func TestConvert(t *testing.T) {
	tests := []struct{ tex, want string }{
		{"x", "<mi>x</mi>"},
		{"3.14", "<mn>3.14</mn>"},
		{"a<b", "<mrow><mi>a</mi><mo>&lt;</mo><mi>b</mi></mrow>"},
		{"-1", "<mrow><mo>−</mo><mn>1</mn></mrow>"},
		{`\frac{1}{f}`, "<mfrac><mn>1</mn><mi>f</mi></mfrac>"},
		{`\frac12`, "<mfrac><mn>1</mn><mn>2</mn></mfrac>"},
		{"x_i^2", "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>"},
		{"x^2_i", "<msubsup><mi>x</mi><mi>i</mi><mn>2</mn></msubsup>"},
		{"2^10", "<mrow><msup><mn>2</mn><mn>1</mn></msup><mn>0</mn></mrow>"},
		{"f''", "<msup><mi>f</mi><mo>′′</mo></msup>"},
		{"{}^a", "<msup><mrow></mrow><mi>a</mi></msup>"},
		{`\sqrt[3]{x}`, "<mroot><mi>x</mi><mn>3</mn></mroot>"},
		{`\alpha\Gamma`, `<mrow><mi>α</mi><mi mathvariant="normal">Γ</mi></mrow>`},
		{`\sum_{i=1}^n`, `<munderover><mo movablelimits="true">∑</mo><mrow><mi>i</mi><mo>=</mo><mn>1</mn></mrow><mi>n</mi></munderover>`},
		{`\int_0^1`, "<msubsup><mo>∫</mo><mn>0</mn><mn>1</mn></msubsup>"},
		{`\int\limits_0`, "<munder><mo>∫</mo><mn>0</mn></munder>"},
		{`\sin x`, `<mrow><mi>sin</mi><mspace width="0.17em"></mspace><mi>x</mi></mrow>`},
		{`\sin(x)`, `<mrow><mi>sin</mi><mo stretchy="false">(</mo><mi>x</mi><mo stretchy="false">)</mo></mrow>`},
		{`\text{if } x`, "<mrow><mrow><mtext>if\u00a0</mtext></mrow><mi>x</mi></mrow>"},
		{`\text{100\% of $n$}`, "<mrow><mtext>100%\u00a0of\u00a0</mtext><mi>n</mi></mrow>"},
		{`\mathrm{kB}`, `<mi mathvariant="normal">kB</mi>`},
		{`\mathbb{R}^n`, `<msup><mi mathvariant="normal">ℝ</mi><mi>n</mi></msup>`},
		{`\mathbf{A1}`, `<mrow><mi mathvariant="normal">𝐀</mi><mn>𝟏</mn></mrow>`},
		{`\not=`, "<mo>=\u0338</mo>"},
		{`\left(\frac ab\right.`, `<mrow><mo fence="true" stretchy="true">(</mo><mfrac><mi>a</mi><mi>b</mi></mfrac></mrow>`},
		{`\hat x`, `<mover accent="true"><mi>x</mi><mo stretchy="false">^</mo></mover>`},
		{`\underbrace{x}_n`, `<munder><munder><mi>x</mi><mo stretchy="true">⏟</mo></munder><mi>n</mi></munder>`},
		{"a % comment\nb", "<mrow><mi>a</mi><mi>b</mi></mrow>"},
		{`a \\ b`, `<mtable displaystyle="true"><mtr><mtd style="text-align:right;padding-right:0"><mi>a</mi></mtd></mtr><mtr><mtd style="text-align:right;padding-right:0"><mi>b</mi></mtd></mtr></mtable>`},
		{`\begin{pmatrix}a&b\\c&d\\\end{pmatrix}`, `<mrow><mo fence="true" stretchy="true">(</mo><mtable><mtr><mtd style="text-align:center"><mi>a</mi></mtd><mtd style="text-align:center"><mi>b</mi></mtd></mtr><mtr><mtd style="text-align:center"><mi>c</mi></mtd><mtd style="text-align:center"><mi>d</mi></mtd></mtr></mtable><mo fence="true" stretchy="true">)</mo></mrow>`},
		{"", "<mrow></mrow>"},
	}
	for _, tt := range tests {
		if got := inner(t, tt.tex); got != tt.want {
			t.Errorf("%s:\n got %s\nwant %s", tt.tex, got, tt.want)
		}
	}
}

// TestUsualFormulas translates formulas that are common in notebooks.
func TestUsualFormulas(t *testing.T) {
	for _, tex := range []string{
		`S(n) = \frac{1}{f + \frac{1-f}{n}}`,
		`S(n) = n + (1-n)\,s, \qquad \lim_{n\to\infty} S(n) = \frac1f`,
		`C(n) = \frac{\lambda n}{1 + \sigma(n-1) + \kappa n(n-1)}`,
		`\hat\beta = (X^\top X)^{-1} X^\top y`,
		`P(A \mid B) = \frac{P(B \mid A)\,P(A)}{P(B)}`,
		`\begin{aligned} \nabla \cdot \mathbf{E} &= \frac{\rho}{\varepsilon_0} \\[4pt] \nabla \times \mathbf{B} &= \mu_0\mathbf{J} + \mu_0\varepsilon_0\frac{\partial\mathbf{E}}{\partial t}\end{aligned}`,
		`f(x) = \begin{cases} x^2 & \text{if } x \ge 0 \\ -x & \text{otherwise} \end{cases}`,
		`\int_{-\infty}^{\infty} e^{-x^2}\,dx = \sqrt{\pi}`,
		`\left\| \frac{a}{b} \right\| \le \max_{i \in \{1,\dots,n\}} |x_i|`,
		`\left\{ x \in \mathbb{R} \,\middle|\, x > 0 \right\}`,
		`\operatorname{Var}(X) = \mathbb{E}[X^2] - \mathbb{E}[X]^2`,
		`\underset{\theta}{\operatorname{arg\,min}}\; \mathcal{L}(\theta)`,
		`\binom{n}{k} = \frac{n!}{k!\,(n-k)!}`, `a \equiv b \pmod{n}`, `O(n \log n)`, `\Bigl( \sum_k a_k \Bigr)^{1/2}`,
		`\begin{array}{l|cr} a & b & c \\ d & e & f \end{array}`, `\begin{equation*} a = b \tag{1} \end{equation*}`,
		`\vec{v} \cdot \overline{AB}`, `\sum_{\substack{i<j \\ j<n}} a_{ij}`, `x \xrightarrow{f} y`, `\boxed{E = mc^2}`, `x^{y^{z}}`, `\dot{x} = \ddot{y}'`,
		`\mathrm{d}x`, `\textbf{bold} + \mathit{it}`, `\lfloor x \rfloor`, `50\%`, `\{a\}`, "größe = 3 µs",
	} {
		for _, display := range []bool{false, true} {
			out, err := Convert(tex, display)
			if err != nil {
				t.Error(err)
				continue
			}
			check(t, tex, out)
			if strings.Contains(out, `display="block"`) != display {
				t.Errorf("%s: display %t in %s", tex, display, out)
			}
		}
	}
}

func TestFormulasThatAreNotKnown(t *testing.T) {
	for tex, want := range map[string]string{
		`\foo`: `\foo is not known`, `{x`: "ends too early", `x}`: "} is not expected", `x^`: "the argument of a command or script is missing", `\frac{1}`: "the argument of a command or script is missing",
		`\begin{foo}\end{foo}`: "environment foo", `\begin{matrix}a\end{cases}`: "not closed", `\left( x`: "ends too early", `x^1^2`: "follow each other",
		`\text x`: "braces", `a & b \begin{tabular}{c}\end{tabular}`: "tabular", `\`: "not known", `\right)`: `\right is not known`,
		strings.Repeat("{", 500) + strings.Repeat("}", 500): "nested",
		strings.Repeat(`\frac`, 2000):                       "",
	} {
		out, err := Convert(tex, false)
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%.40s: error %v, output %.200s", tex, err, out)
		}
	}
}

func FuzzConvert(f *testing.F) {
	for _, tex := range []string{`\frac{a}{b}_1^2`, `\begin{cases}a&b\\c\end{cases}`, `\text{a $b$}`, `\left(\right)`, `\sqrt[3]{\hat x}'`, "\x00<&>\"'", `\mathbb{R}\not\in`} {
		f.Add(tex)
	}
	f.Fuzz(func(t *testing.T, tex string) {
		if out, err := Convert(tex, true); err == nil {
			check(t, tex, out)
		}
	})
}
