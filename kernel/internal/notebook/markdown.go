package notebook

import (
	"bytes"
	"encoding/base64"
	"fmt"
	"html/template"
	"mime"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/perijove/perijove/kernel/internal/highlight"
	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/renderer"
	"github.com/yuin/goldmark/renderer/html"
	"github.com/yuin/goldmark/text"
	"github.com/yuin/goldmark/util"
)

// A heading is a heading in a Markdown cell, for the table of contents.
type heading struct {
	Level    int
	Text, ID string
}

// markdown renders the Markdown cells of one notebook. Identifiers of headings are unique
// in the notebook.
type markdown struct {
	goldmark goldmark.Markdown
	dir      string
	ids      *headingIDs
	headings []heading
}

func newMarkdown(dir string) *markdown {
	return &markdown{
		dir: dir,
		ids: &headingIDs{used: map[string]bool{}},
		goldmark: goldmark.New(
			goldmark.WithExtensions(extension.GFM, mathExtension{}),
			goldmark.WithParserOptions(parser.WithAutoHeadingID()),
			goldmark.WithRendererOptions(
				html.WithUnsafe(), // notebooks use inline HTML; the page's content security policy blocks scripts
				renderer.WithNodeRenderers(util.Prioritized(codeRenderer{}, 100)),
			),
		),
	}
}

func (m *markdown) render(source string, attachments map[string]map[string]string) (template.HTML, error) {
	src := []byte(source)
	doc := m.goldmark.Parser().Parse(text.NewReader(src), parser.WithContext(parser.NewContext(parser.WithIDs(m.ids))))
	err := ast.Walk(doc, func(n ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch n := n.(type) {
		case *ast.Heading:
			if id, ok := n.AttributeString("id"); ok {
				if id, ok := id.([]byte); ok {
					m.headings = append(m.headings, heading{n.Level, plainText(n, src), string(id)})
				}
			}
		case *ast.Image:
			n.Destination = m.embed(n.Destination, attachments)
		}
		return ast.WalkContinue, nil
	})
	if err != nil {
		return "", err
	}
	var b bytes.Buffer
	if err := m.goldmark.Renderer().Render(&b, src, doc); err != nil {
		return "", err
	}
	return template.HTML(b.String()), nil
}

// embed returns a data URI for an attachment or a local picture. Other destinations, and
// files that cannot be read, stay links.
func (m *markdown) embed(dest []byte, attachments map[string]map[string]string) []byte {
	name := string(dest)
	if file, ok := strings.CutPrefix(name, "attachment:"); ok {
		for mimeType, data := range attachments[file] {
			return []byte("data:" + mimeType + ";base64," + strings.ReplaceAll(data, "\n", ""))
		}
		return dest
	}
	if m.dir == "" || strings.Contains(name, ":") || filepath.IsAbs(name) {
		return dest
	}
	data, err := os.ReadFile(filepath.Join(m.dir, filepath.FromSlash(name)))
	if err != nil {
		return dest
	}
	mimeType := mime.TypeByExtension(filepath.Ext(name))
	if mimeType == "" {
		mimeType = http.DetectContentType(data)
	}
	return []byte(dataURI(mimeType, data))
}

func dataURI(mimeType string, data []byte) string {
	return "data:" + mimeType + ";base64," + base64.StdEncoding.EncodeToString(data)
}

func plainText(n ast.Node, src []byte) string {
	var b strings.Builder
	for c := n.FirstChild(); c != nil; c = c.NextSibling() {
		switch c := c.(type) {
		case *ast.Text:
			b.Write(c.Segment.Value(src))
		case *ast.String:
			b.Write(c.Value)
		case *mathNode:
			b.WriteString(c.tex)
		default:
			b.WriteString(plainText(c, src))
		}
	}
	return b.String()
}

// headingIDs makes the same identifiers of headings as Jupyter, so that links within a
// notebook work: the heading's text with dashes for spaces.
type headingIDs struct{ used map[string]bool }

func (h *headingIDs) Generate(value []byte, _ ast.NodeKind) []byte {
	base := strings.ReplaceAll(strings.TrimSpace(string(value)), " ", "-")
	base = strings.NewReplacer("`", "", "*", "").Replace(base)
	id := base
	for n := 1; h.used[id]; n++ {
		id = fmt.Sprintf("%s-%d", base, n)
	}
	h.used[id] = true
	return []byte(id)
}

func (h *headingIDs) Put(value []byte) { h.used[string(value)] = true }

// codeRenderer highlights fenced code.
type codeRenderer struct{}

func (codeRenderer) RegisterFuncs(reg renderer.NodeRendererFuncRegisterer) {
	reg.Register(ast.KindFencedCodeBlock, renderFenced)
}

func renderFenced(w util.BufWriter, src []byte, node ast.Node, entering bool) (ast.WalkStatus, error) {
	if !entering {
		return ast.WalkContinue, nil
	}
	n := node.(*ast.FencedCodeBlock)
	var code bytes.Buffer
	for i := range n.Lines().Len() {
		line := n.Lines().At(i)
		code.Write(line.Value(src))
	}
	_, err := w.WriteString(string(highlight.HTML(code.String(), string(n.Language(src)))) + "\n")
	return ast.WalkSkipChildren, err
}
