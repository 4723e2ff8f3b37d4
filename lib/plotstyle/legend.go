package plotstyle

import (
	"fmt"
	"image"
	"image/color"
	"math"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A legend arranges the entries of a plot.Legend in rows. A plot.Legend draws itself
// only as one column in a corner of the data, and does not export its entries. So
// legend makes it draw the entries far from each other, on an entryCanvas, which
// moves each entry to its place.
type legend struct {
	from   plot.Legend
	style  text.Style
	height vg.Length   // of an entry
	widths []vg.Length // of each entry, with sample and name
}

// apart is the distance of the entries that plot.Legend draws on an entryCanvas.
const apart = 10000

// Gaps between entries.
const (
	columnGap = 16
	rowGap    = 5
)

func newLegend(l plot.Legend, style text.Style) *legend {
	l.TextStyle, l.Top, l.Left, l.XOffs, l.YOffs, l.YPosition = style, true, true, 0, 0, draw.PosBottom
	l.ThumbnailWidth = min(max(l.ThumbnailWidth, 8), 24)
	var none draw.Canvas
	l.Padding = 0
	dense := l.Rectangle(none).Size().Y
	l.Padding = apart
	n := int(math.Round(float64(l.Rectangle(none).Size().Y-dense)/apart)) + 1
	if dense == 0 {
		n = 0
	}
	out := &legend{from: l, style: style, widths: make([]vg.Length, n)}
	if n == 0 {
		return out
	}
	out.height = dense / vg.Length(n)
	c := &entryCanvas{Canvas: discard{}, legend: out, pitch: apart + out.height}
	l.Draw(draw.Canvas{Canvas: c})
	return out
}

func (l *legend) rowHeight() vg.Length { return l.height + rowGap }

// rows divides the entries into rows of the given width. Each row has the indices of
// its entries, at least one.
func (l *legend) rows(width vg.Length) [][]int {
	var rows [][]int
	x := vg.Length(0)
	for i, w := range l.widths {
		if len(rows) == 0 || x+w > width {
			rows, x = append(rows, nil), 0
		}
		rows[len(rows)-1] = append(rows[len(rows)-1], i)
		x += w + columnGap
	}
	return rows
}

// column returns the width of the legend as one column.
func (l *legend) column() vg.Length {
	width := vg.Length(0)
	for _, w := range l.widths {
		width = max(width, w)
	}
	return width
}

// draw draws the rows below the upper edge of c. If they do not fit, the last row
// tells how many entries are missing.
func (l *legend) draw(c draw.Canvas, rows [][]int) {
	most := int((c.Max.Y - c.Min.Y + 0.01) / l.rowHeight())
	left := 0
	if len(rows) > most {
		for _, row := range rows[max(most-1, 0):] {
			left += len(row)
		}
		rows = rows[:max(most-1, 0)]
	}
	to := make([]*vg.Point, len(l.widths))
	y := c.Max.Y
	for _, row := range rows {
		x := c.Min.X
		for _, i := range row {
			to[i] = &vg.Point{X: x, Y: y}
			x += l.widths[i] + columnGap
		}
		y -= l.rowHeight()
	}
	out := &entryCanvas{Canvas: c.Canvas, legend: l, pitch: apart + l.height, to: to, right: c.Max.X}
	l.from.Draw(draw.Canvas{Canvas: out})
	if left > 0 && most > 0 {
		c.FillText(l.style, vg.Point{X: c.Min.X, Y: y - l.height}, shorten(l.style, fmt.Sprintf("… and %d more", left), c.Max.X-c.Min.X))
	}
}

// An entryCanvas moves the parts of each entry to the entry's place. Without places it
// measures the entries.
type entryCanvas struct {
	vg.Canvas
	legend *legend
	pitch  vg.Length
	to     []*vg.Point // upper left corners; nil where an entry is not drawn
	right  vg.Length   // edge at which names are cut

	state
	stack []state
}

// A state is the part of an entryCanvas that Push saves.
type state struct {
	inside bool // Translate has moved the origin, so coordinates need no offset
	hidden bool // Translate was called for an entry that is not drawn
}

// entry returns the index of the entry that is drawn at y.
func (c *entryCanvas) entry(y vg.Length) int {
	return min(max(int(math.Round(float64(-y/c.pitch))), 0), len(c.legend.widths)-1)
}

// offset returns the vector by which to move a part drawn at p. drawn is false if the
// part's entry is not drawn.
func (c *entryCanvas) offset(p vg.Point) (d vg.Point, drawn bool) {
	if c.inside {
		return d, !c.hidden
	}
	i := c.entry(p.Y)
	if c.to == nil || c.to[i] == nil {
		return d, false
	}
	return vg.Point{X: c.to[i].X, Y: c.to[i].Y + vg.Length(i)*c.pitch}, true
}

func (c *entryCanvas) path(p vg.Path, draw func(vg.Path)) {
	if len(p) == 0 {
		return
	}
	d, ok := c.offset(p[0].Pos)
	if !ok {
		return
	}
	moved := make(vg.Path, len(p))
	for i, comp := range p {
		comp.Pos = comp.Pos.Add(d)
		if len(comp.Control) > 0 {
			control := make([]vg.Point, len(comp.Control))
			for k := range control {
				control[k] = comp.Control[k].Add(d)
			}
			comp.Control = control
		}
		moved[i] = comp
	}
	draw(moved)
}

func (c *entryCanvas) Stroke(p vg.Path) { c.path(p, c.Canvas.Stroke) }
func (c *entryCanvas) Fill(p vg.Path)   { c.path(p, c.Canvas.Fill) }

func (c *entryCanvas) FillString(f font.Face, p vg.Point, s string) {
	if c.to == nil && !c.inside {
		i := c.entry(p.Y)
		c.legend.widths[i] = max(c.legend.widths[i], p.X+f.Width(s))
		return
	}
	if d, ok := c.offset(p); ok {
		p = p.Add(d)
		c.Canvas.FillString(f, p, shorten(c.legend.style, s, c.right-p.X))
	}
}

func (c *entryCanvas) DrawImage(r vg.Rectangle, img image.Image) {
	if d, ok := c.offset(r.Min); ok {
		c.Canvas.DrawImage(r.Add(d), img)
	}
}

func (c *entryCanvas) Translate(p vg.Point) {
	d, ok := c.offset(p)
	c.Canvas.Translate(p.Add(d))
	c.inside, c.hidden = true, !ok
}

func (c *entryCanvas) Push() {
	c.stack = append(c.stack, c.state)
	c.Canvas.Push()
}

func (c *entryCanvas) Pop() {
	if n := len(c.stack); n > 0 {
		c.state, c.stack = c.stack[n-1], c.stack[:n-1]
	}
	c.Canvas.Pop()
}

// discard is a canvas that draws nothing.
type discard struct{}

func (discard) SetLineWidth(vg.Length)                 {}
func (discard) SetLineDash([]vg.Length, vg.Length)     {}
func (discard) SetColor(color.Color)                   {}
func (discard) Rotate(float64)                         {}
func (discard) Translate(vg.Point)                     {}
func (discard) Scale(x, y float64)                     {}
func (discard) Push()                                  {}
func (discard) Pop()                                   {}
func (discard) Stroke(vg.Path)                         {}
func (discard) Fill(vg.Path)                           {}
func (discard) FillString(font.Face, vg.Point, string) {}
func (discard) DrawImage(vg.Rectangle, image.Image)    {}
