package chart

import (
	"math"
	"slices"
	"strconv"
	"strings"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

// A legendEntry is one sample with its name. Samples hold no circles: a circle
// in the picture is a measured point.
type legendEntry struct {
	name   string
	line   draw.LineStyle
	filled bool // a swatch instead of a line
}

func (c *Chart) legend() []legendEntry {
	r := c.result
	var entries []legendEntry
	for i, s := range r.Series {
		if s.Name != "" {
			entries = append(entries, legendEntry{name: s.Name, line: line(seriesColor(i), 3)})
		}
	}
	for i, s := range r.Series {
		if _, ok := r.Amdahl(s); ok {
			entries = append(entries, legendEntry{name: strings.TrimSpace(s.Name + " by Amdahl's law"), line: line(translucent(seriesColor(i)), 4)})
		}
	}
	entries = append(entries, legendEntry{name: "ideal", line: idealStyle})
	if most := float64(slices.Max(r.Workers)); most >= r.Cores {
		entries = append(entries, legendEntry{name: "ceiling: " + coresText(r.Cores), line: ceilingStyle})
		if most > r.Cores {
			entries = append(entries, legendEntry{name: "more workers than cores", line: line(zoneColor, 9), filled: true})
		}
	}
	return entries
}

// drawLegend sets the entries in rows above the panels, where nothing can lie
// under them, and returns the height it took.
func drawLegend(dc draw.Canvas, entries []legendEntry) vg.Length {
	const sample, gap, between, row = 20, 5, 15, 14
	style := textStyle(10, inkColor, false)
	x, y := dc.Min.X, dc.Max.Y-8
	height := vg.Length(row)
	for _, e := range entries {
		width := sample + gap + style.Width(e.name)
		if x > dc.Min.X && x+width > dc.Max.X {
			x, y, height = dc.Min.X, y-row, height+row
		}
		if e.filled {
			dc.StrokeLine2(line(gridColor, 10.5), x, y, x+sample, y)
		}
		dc.StrokeLine2(e.line, x, y, x+sample, y)
		dc.FillText(style, vg.Point{X: x + sample + gap, Y: y - 3.3}, e.name)
		x += width + between
	}
	return height
}

func coresText(n float64) string {
	if n == 1 {
		return "1 core"
	}
	return strconv.FormatFloat(math.Round(n*100)/100, 'g', -1, 64) + " cores"
}
