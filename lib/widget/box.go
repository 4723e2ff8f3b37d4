package widget

import (
	"fmt"
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

type box struct {
	children []Widget
	m        *model
}

func newBox(name string, children []Widget) box {
	references := make([]string, len(children))
	for i, w := range children {
		references[i] = w.model().reference()
	}
	return box{children, newModel(controls, name, map[string]any{
		"children": references, "box_style": "", "layout": layout().reference(),
	}, nil)}
}

// MIMEBundle returns the box's forms; its text form is those of the widgets,
// one to a line.
func (b *box) MIMEBundle() map[string]any {
	lines := make([]string, len(b.children))
	for i, w := range b.children {
		lines[i] = fmt.Sprint(w.MIMEBundle()["text/plain"])
	}
	return b.m.bundle(strings.Join(lines, "\n"))
}

func (b *box) model() *model { return b.m }
