package notebook

import (
	"bytes"
	"embed"
	"fmt"
	"html/template"
	"strings"

	"github.com/perijove/perijove/kernel/internal/highlight"
)

//go:embed page.html page.css
var pageFiles embed.FS

// HTMLOptions configure an export. The zero value is valid.
type HTMLOptions struct {
	Title string // title of the page if the notebook has no heading
	Dir   string // folder to which paths of pictures are relative; if it is empty, the pictures stay links
}

// HTML exports the notebook as one file, which contains its pictures and needs no network.
// A content security policy keeps scripts in outputs from running.
func (nb *Notebook) HTML(opts HTMLOptions) ([]byte, error) {
	tmpl, err := template.ParseFS(pageFiles, "page.html")
	if err != nil {
		return nil, err
	}
	css, err := pageFiles.ReadFile("page.css")
	if err != nil {
		return nil, err
	}
	page := htmlPage{Title: opts.Title, Style: template.CSS(css)}
	md := newMarkdown(opts.Dir)
	for i, c := range nb.Cells {
		cell, err := md.cell(c)
		if err != nil {
			return nil, fmt.Errorf("cannot convert cell %d to HTML: %w", i+1, err)
		}
		page.Cells = append(page.Cells, cell)
	}
	if len(md.headings) > 0 && md.headings[0].Level == 1 {
		page.Title = md.headings[0].Text
	}
	if page.Title == "" {
		page.Title = "Notebook"
	}
	page.Contents = contents(md.headings)
	var b bytes.Buffer
	if err := tmpl.Execute(&b, page); err != nil {
		return nil, err
	}
	return b.Bytes(), nil
}

type htmlPage struct {
	Title    string
	Style    template.CSS
	Contents []heading
	Cells    []htmlCell
}

type htmlCell struct {
	Type    string
	Prompt  string // execution count, or empty if the cell was not executed
	Body    template.HTML
	Outputs []template.HTML
}

// contents returns the headings of the table of contents: those up to level 3, without
// the title. It returns none if there are few.
func contents(all []heading) []heading {
	var list []heading
	for i, h := range all {
		if i == 0 && h.Level == 1 || h.Level > 3 {
			continue
		}
		list = append(list, h)
	}
	if len(list) < 3 {
		return nil
	}
	return list
}

func (m *markdown) cell(c *Cell) (htmlCell, error) {
	out := htmlCell{Type: c.Type}
	switch c.Type {
	case MarkdownCell:
		body, err := m.render(c.Source, c.Attachments)
		if err != nil {
			return out, err
		}
		out.Body = body
		return out, nil
	case RawCell:
		out.Body = template.HTML("<pre>" + template.HTMLEscapeString(c.Source) + "</pre>")
		return out, nil
	}
	if c.ExecutionCount > 0 {
		out.Prompt = fmt.Sprint(c.ExecutionCount)
	}
	if strings.TrimSpace(c.Source) != "" {
		out.Body = highlight.HTML(c.Source, "go")
	}
	for _, o := range c.Outputs {
		shown, err := m.output(o)
		if err != nil {
			return out, err
		}
		out.Outputs = append(out.Outputs, shown)
	}
	return out, nil
}
