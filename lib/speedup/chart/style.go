package chart

import (
	"image/color"

	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"

	"github.com/perijove/perijove/lib/plotstyle"
)

// colors returns the colors of the series. A backend of lib/mp has the same color in
// every plot.
func (c *Chart) colors() []color.RGBA {
	names := make([]string, len(c.result.Series))
	for i, s := range c.result.Series {
		names[i] = s.Name
	}
	return plotstyle.Colors(names...)
}

func line(col color.Color, width vg.Length, dashes ...vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: col, Width: width, Dashes: dashes}
}

func translucent(c color.RGBA) color.Color { return color.NRGBA{c.R, c.G, c.B, 0x60} }
