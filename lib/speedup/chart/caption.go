package chart

import (
	"image/color"
	"strings"

	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

func (c *Chart) drawCaption(dc draw.Canvas) vg.Length {
	const size, lead = 9.5, 13
	lines := c.caption(dc.Max.X-dc.Min.X, textStyle(size, quietColor, false))
	y := dc.Min.Y + 2 + lead*vg.Length(len(lines)-1)
	for _, line := range lines {
		dc.FillText(textStyle(size, line.color, false), vg.Point{X: dc.Min.X, Y: y}, line.text)
		y -= lead
	}
	return 2 + lead*vg.Length(len(lines))
}

type captionLine struct {
	text  string
	color color.Color
}

// caption breaks the result's notes into lines of the given width. Warnings have
// another colour.
func (c *Chart) caption(width vg.Length, style text.Style) []captionLine {
	var lines []captionLine
	add := func(note string, col color.Color) {
		line := ""
		for _, word := range strings.Fields(note) {
			if longer := strings.TrimSpace(line + " " + word); line == "" || style.Width(longer) <= width {
				line = longer
				continue
			}
			lines = append(lines, captionLine{line, col})
			line = word
		}
		lines = append(lines, captionLine{line, col})
	}
	for _, n := range c.result.Notes() {
		if n.Warning {
			add(n.Text, warnColor)
		} else {
			add(n.Text, quietColor)
		}
	}
	return lines
}
