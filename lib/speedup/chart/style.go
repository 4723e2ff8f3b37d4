package chart

import (
	"image/color"

	xfnt "golang.org/x/image/font"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/font"
	"gonum.org/v1/plot/text"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
)

func textStyle(size float64, col color.Color, bold bool) text.Style {
	f := font.Font{Typeface: "Liberation", Variant: "Sans", Size: vg.Points(size)}
	if bold {
		f.Weight = xfnt.WeightBold
	}
	return text.Style{Color: col, Font: f, Handler: plot.DefaultTextHandler}
}

func styleLike(s text.Style, size float64, col color.Color) text.Style {
	t := textStyle(size, col, false)
	s.Font, s.Color, s.Handler = t.Font, t.Color, t.Handler
	return s
}

var (
	inkColor   = color.RGBA{0x24, 0x29, 0x2f, 0xff}
	quietColor = color.RGBA{0x57, 0x60, 0x6a, 0xff}
	lineColor  = color.RGBA{0x8c, 0x95, 0x9f, 0xff}
	gridColor  = color.RGBA{0xe6, 0xe9, 0xed, 0xff}
	zoneColor  = color.RGBA{0xf6, 0xf1, 0xe7, 0xff}
	warnColor  = color.RGBA{0xa4, 0x4a, 0x00, 0xff}
)

// palette is Okabe and Ito's, whose colours the colour-blind can tell apart.
var palette = []color.RGBA{
	{0x00, 0x72, 0xb2, 0xff}, {0xd5, 0x5e, 0x00, 0xff}, {0x00, 0x9e, 0x73, 0xff},
	{0xcc, 0x79, 0xa7, 0xff}, {0x56, 0xb4, 0xe9, 0xff}, {0xe6, 0x9f, 0x00, 0xff},
}

func seriesColor(i int) color.RGBA { return palette[i%len(palette)] }

func line(col color.Color, width vg.Length, dashes ...vg.Length) draw.LineStyle {
	return draw.LineStyle{Color: col, Width: width, Dashes: dashes}
}

func translucent(c color.RGBA) color.Color { return color.NRGBA{c.R, c.G, c.B, 0x60} }
