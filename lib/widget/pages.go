package widget

import (
	"encoding/json"
	"fmt"
	"strings"
)

// A Page is one part of a [Tab] or an [Accordion].
type Page struct {
	Title   string
	Content Widget
}

// A Tab shows one of several pages below a row of their titles. Its value is the index
// of the visible page, or -1 if none is visible.
type Tab struct{ pages }

// NewTab returns a tab that shows the first page.
func NewTab(all ...Page) *Tab {
	t := &Tab{}
	t.openPages("Tab", all, 0)
	return t
}

// An Accordion shows a column of titles, and one page below its title. Its value is the
// index of the visible page, or -1 if none is visible.
type Accordion struct{ pages }

// NewAccordion returns an accordion that shows no page.
func NewAccordion(all ...Page) *Accordion {
	a := &Accordion{}
	a.openPages("Accordion", all, -1)
	return a
}

type pages struct {
	Control[int]
	all []Page
}

func (p *pages) openPages(widget string, all []Page, shown int) {
	p.all, p.key = all, "selected_index"
	p.check = within(-1, len(all)-1)
	p.encode = func(i int) any {
		if i < 0 {
			return nil
		}
		return i
	}
	p.decode = func(raw json.RawMessage) (int, bool) {
		if string(raw) == "null" {
			return -1, true
		}
		return fromJSON[int](raw)
	}
	titles, children := make([]string, len(all)), make([]Widget, len(all))
	for i, page := range all {
		titles[i], children[i] = page.Title, page.Content
	}
	state := map[string]any{"titles": titles, "children": references(children), "box_style": "", "layout": layout().reference()}
	p.openWith(widget, "", min(shown, len(all)-1), state, p.receive)
}

func (p *pages) contents() []Widget {
	all := make([]Widget, len(p.all))
	for i, page := range p.all {
		all[i] = page.Content
	}
	return all
}

// MIMEBundle returns the widget's forms by MIME type. The text form consists of the text
// forms of all pages.
func (p *pages) MIMEBundle() map[string]any {
	parts := make([]string, len(p.all))
	for i, page := range p.all {
		text := fmt.Sprint(page.Content.MIMEBundle()["text/plain"])
		parts[i] = page.Title + "\n  " + strings.ReplaceAll(text, "\n", "\n  ")
	}
	return p.m.bundle(strings.Join(parts, "\n"))
}
