package notebook

import (
	"bytes"
	"html"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"

	"github.com/perijove/perijove/kernel/internal/mathml"
)

// mathExtension excludes $x$ and $$x$$ from Markdown's syntax. It renders them as formulas,
// or as they were written if they cannot be translated.
type mathExtension struct{}

func (mathExtension) Extend(m goldmark.Markdown) {
	m.Parser().AddOptions(parser.WithInlineParsers(util.Prioritized(mathParser{}, 150)))
	m.Renderer().AddOptions(renderer.WithNodeRenderers(util.Prioritized(mathRenderer{}, 150)))
}

type mathNode struct {
	ast.BaseInline
	tex   string
	block bool
}

var kindMath = ast.NewNodeKind("Math")

func (*mathNode) Kind() ast.NodeKind         { return kindMath }
func (n *mathNode) Dump(src []byte, lvl int) { ast.DumpHelper(n, src, lvl, nil, nil) }

type mathParser struct{}

func (mathParser) Trigger() []byte { return []byte{'$'} }

// Parse parses a formula between dollar signs. As in Pandoc, there must be no space directly inside single dollar
// signs, and no digit after the closing one, so that prices are not mathematics.
func (mathParser) Parse(_ ast.Node, block text.Reader, _ parser.Context) ast.Node {
	line, _ := block.PeekLine()
	if bytes.HasPrefix(line, []byte("$$")) {
		return parseBlockMath(block)
	}
	if len(line) < 3 || line[1] == ' ' {
		return nil
	}
	for i := 1; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '$':
			digit := i+1 < len(line) && line[i+1] >= '0' && line[i+1] <= '9'
			if i == 1 || line[i-1] == ' ' || digit {
				return nil
			}
			block.Advance(i + 1)
			return &mathNode{tex: string(line[1:i])}
		}
	}
	return nil
}

// parseBlockMath parses $$…$$, which may extend over several lines of a paragraph.
func parseBlockMath(block text.Reader) ast.Node {
	startLine, startPos := block.Position()
	block.Advance(2)
	var tex bytes.Buffer
	for {
		line, _ := block.PeekLine()
		if line == nil {
			block.SetPosition(startLine, startPos)
			return nil
		}
		if end := bytes.Index(line, []byte("$$")); end >= 0 {
			tex.Write(line[:end])
			block.Advance(end + 2)
			return &mathNode{tex: string(bytes.TrimSpace(tex.Bytes())), block: true}
		}
		tex.Write(line)
		block.AdvanceLine()
	}
}

type mathRenderer struct{}

func (mathRenderer) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(kindMath, func(w util.BufWriter, _ []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		n := node.(*mathNode)
		_, err := w.WriteString(formula(n.tex, n.block))
		return ast.WalkContinue, err
	})
}

// formula returns TeX as MathML, or as text if it cannot be translated.
func formula(tex string, block bool) string {
	if out, err := mathml.Convert(tex, block); err == nil {
		return out
	}
	class := "math"
	if block {
		class = "math block"
	}
	return `<span class="` + class + `">` + html.EscapeString(tex) + `</span>`
}

// delimiters are the delimiters of formulas in outputs of type text/latex.
var delimiters = []struct {
	open, close string
	block       bool
}{{"$$", "$$", true}, {`\[`, `\]`, true}, {`\(`, `\)`, false}, {"$", "$", false}}

// latex returns HTML for an output of type text/latex.
func latex(text string) string {
	text = strings.TrimSpace(text)
	for _, d := range delimiters {
		if inner, ok := strings.CutPrefix(text, d.open); ok && len(inner) >= len(d.close) {
			if inner, ok := strings.CutSuffix(inner, d.close); ok && !strings.Contains(inner, d.open) {
				return formula(strings.TrimSpace(inner), d.block)
			}
		}
	}
	return formula(text, true)
}
