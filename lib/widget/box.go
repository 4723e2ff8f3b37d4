package widget

import (
	"fmt"
	"maps"
	"strings"
)

// An HBox shows widgets beside each other.
type HBox struct{ box }

// NewHBox returns a box that shows the widgets from left to right.
func NewHBox(children ...Widget) *HBox { return &HBox{newBox("HBox", children)} }

// A VBox shows widgets below each other.
type VBox struct{ box }

// NewVBox returns a box that shows the widgets from top to bottom.
func NewVBox(children ...Widget) *VBox { return &VBox{newBox("VBox", children)} }

// A GridBox shows widgets in rows and columns.
type GridBox struct{ box }

// NewGridBox returns a box that shows the widgets in rows of the given number of
// columns. A number below 1 counts as 1.
func NewGridBox(columns int, children ...Widget) *GridBox {
	grid := newModel(base, "Layout", map[string]any{
		"grid_template_columns": fmt.Sprintf("repeat(%d, max-content)", max(columns, 1)), "grid_gap": "4px 12px",
	}, nil)
	return &GridBox{newBoxWith("GridBox", children, map[string]any{"layout": grid.reference()})}
}

type box struct {
	children []Widget
	m        *model
}

func newBox(name string, children []Widget) box { return newBoxWith(name, children, nil) }

func newBoxWith(name string, children []Widget, state map[string]any) box {
	full := map[string]any{"children": references(children), "box_style": "", "layout": layout().reference()}
	maps.Copy(full, state)
	return box{children, newModel(controls, name, full, nil)}
}

// references returns the texts that refer to widgets in a model's state.
func references(widgets []Widget) []string {
	all := make([]string, len(widgets))
	for i, w := range widgets {
		all[i] = w.model().reference()
	}
	return all
}

// MIMEBundle returns the box's forms by MIME type. The text form consists of the text forms
// of the widgets, one on each line.
func (b *box) MIMEBundle() map[string]any {
	var lines []string
	for _, w := range b.children {
		if text, _ := w.MIMEBundle()["text/plain"].(string); text != "" {
			lines = append(lines, text)
		}
	}
	return b.m.bundle(strings.Join(lines, "\n"))
}

func (b *box) model() *model      { return b.m }
func (b *box) contents() []Widget { return b.children }
