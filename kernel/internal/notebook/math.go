package notebook

import (
	"bytes"
	"html"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// mathExtension keeps $x$ and $$x$$ out of Markdown's hands and shows the TeX
// as it was written: readable, and safe from underscores becoming emphasis.
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

// Parse follows Pandoc's rule: no space just inside single dollars, and no digit
// after the closing one, so that prices are not mathematics.
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

// parseBlockMath reads $$…$$, which may go over several lines of a paragraph.
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
		class := "math"
		if n.block {
			class = "math block"
		}
		_, err := w.WriteString(`<span class="` + class + `">` + html.EscapeString(n.tex) + `</span>`)
		return ast.WalkContinue, err
	})
}
