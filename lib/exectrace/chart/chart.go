// Package chart draws the traces of package exectrace: a row for each goroutine, a curve
// of processor time for each process, and arrows for the effects of one goroutine or process
// on another.
package chart

import (
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/perijove/perijove/lib/exectrace"
)

// Limits of a picture, so that it stays readable and small.
const (
	maxRows   = 60     // goroutines
	maxArrows = 300    // arrows
	maxShapes = 12_000 // pieces of rows
	maxLabels = 60     // texts of arrows, and of the marks of a row
)

// Sizes in CSS pixels.
const (
	width      = 800 // so that text is large enough in print
	labelWidth = 158
	margin     = 10
	plotLeft   = labelWidth
	plotWidth  = width - labelWidth - margin
	rowHeight  = 17
	cpuHeight  = 24
	headHeight = 20
	topHeight  = 84
	barHeight  = 12 // of tasks, with their text
)

// A Chart is the picture of a trace. A notebook shows a Chart that is the last expression
// of a cell.
type Chart struct {
	trace  *exectrace.Trace
	height float64
	shapes []shape
	left   leftOut
	labels []box // of arrows

	encoded sync.Once
	png     []byte
}

// leftOut counts what is not drawn.
type leftOut struct{ goroutines, arrows, merged int }

// A shape is a rectangle, a line or a text.
type shape struct {
	kind       shapeKind
	x, y, w, h float64 // of a line, w and h lead to its end
	color      color
	opacity    float64 // 0 means opaque
	text       string
	size       float64 // of a text
	anchor     anchor
	bold       bool
	title      string // shown when the mouse is over it
}

type shapeKind uint8

const (
	rectangle shapeKind = iota
	line
	arrow
	label
)

type anchor uint8

const (
	start anchor = iota
	middle
	end
)

// A color is a CSS color; ink is the color of text on the page.
type color string

const (
	ink   color = "currentColor"
	paper color = "#ffffff"
)

// Colors with enough contrast to white and to black.
const (
	runningColor  color = "#2a8f5b"
	runnableColor color = "#d08700"
	waitingColor  color = "#8a96a3"
	syscallColor  color = "#8e6bbf"
	taskColor     color = "#2f6fb0"
	heldColor     color = "#d1495b"
	gcColor       color = "#e07b91"
	cpuColor      color = "#3b82c4"
)

// New returns the picture of a trace.
func New(t *exectrace.Trace) *Chart {
	c := &Chart{trace: t}
	c.layout()
	return c
}

// String returns the trace as text.
func (c *Chart) String() string { return c.trace.String() }

// LeftOut returns a text that names what the picture does not show, or "".
func (c *Chart) LeftOut() string {
	var parts []string
	if n := c.left.goroutines; n > 0 {
		parts = append(parts, plural(n, "goroutine"))
	}
	if n := c.left.arrows; n > 0 {
		parts = append(parts, plural(n, "arrow"))
	}
	text := ""
	if len(parts) > 0 {
		text = "not drawn: " + strings.Join(parts, " and ")
	}
	if n := c.left.merged; n > 0 {
		if text != "" {
			text += "; "
		}
		text += fmt.Sprintf("%s shorter than a pixel are drawn together", plural(n, "state"))
	}
	return text
}

func plural(n int, one string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %ss", n, one)
}

// x returns the horizontal position of a time.
func (c *Chart) x(at time.Duration) float64 {
	if c.trace.Length <= 0 {
		return plotLeft
	}
	return plotLeft + plotWidth*float64(at)/float64(c.trace.Length)
}

func (c *Chart) add(s shape) { c.shapes = append(c.shapes, s) }

func (c *Chart) text(x, y, size float64, a anchor, text string) {
	c.add(shape{kind: label, x: x, y: y, size: size, anchor: a, text: text, color: ink})
}
