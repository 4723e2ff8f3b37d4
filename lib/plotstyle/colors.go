package plotstyle

import "image/color"

// Colors with a fixed meaning. A backend of lib/mp has the same color in every plot.
var (
	Goroutines = color.RGBA{0x00, 0x72, 0xb2, 0xff} // blue
	Processes  = color.RGBA{0xd5, 0x5e, 0x00, 0xff} // vermilion
	Serial     = color.RGBA{0x00, 0x9e, 0x73, 0xff} // green: one task at a time
	Ideal      = color.RGBA{0x8c, 0x95, 0x9f, 0xff} // gray: the best possible result
)

// Colors of the parts of a plot that are not data.
var (
	Ink   = color.RGBA{0x24, 0x29, 0x2f, 0xff} // titles and names
	Quiet = color.RGBA{0x57, 0x60, 0x6a, 0xff} // labels and ticks
	Line  = color.RGBA{0x8c, 0x95, 0x9f, 0xff} // axes
	Grid  = color.RGBA{0xe6, 0xe9, 0xed, 0xff}
	Zone  = color.RGBA{0xf6, 0xf1, 0xe7, 0xff} // background of a part of the plot with a special meaning
	Warn  = color.RGBA{0xa4, 0x4a, 0x00, 0xff} // text of warnings
)

// fixed maps names of series to their fixed colors.
var fixed = map[string]color.RGBA{
	"goroutines": Goroutines, "processes": Processes,
	"serial": Serial, "one at a time": Serial, "one core": Serial, "ideal": Ideal,
}

// others are the colors for series of other names. Together with the fixed colors
// except gray, they are based on the palette of Okabe and Ito, which color-blind
// readers can distinguish; its yellow is too pale for lines.
var others = []color.RGBA{
	{0xcc, 0x79, 0xa7, 0xff}, {0x56, 0xb4, 0xe9, 0xff}, {0xe6, 0x9f, 0x00, 0xff}, {0x33, 0x33, 0x33, 0xff},
}

// Colors returns a color for each name of a series. "goroutines", "processes",
// "serial", "one at a time", "one core" and "ideal" have fixed colors. The other
// names get different colors: first the colors that no fixed name has, then the
// fixed ones that names does not use. If there are more names than colors, colors
// repeat.
func Colors(names ...string) []color.RGBA {
	used := map[color.RGBA]bool{}
	for _, name := range names {
		if c, ok := fixed[name]; ok {
			used[c] = true
		}
	}
	free := append([]color.RGBA(nil), others...)
	for _, c := range []color.RGBA{Serial, Goroutines, Processes} {
		if !used[c] {
			free = append(free, c)
		}
	}
	colors := make([]color.RGBA, len(names))
	next := 0
	for i, name := range names {
		c, ok := fixed[name]
		if !ok {
			c = free[next%len(free)]
			next++
		}
		colors[i] = c
	}
	return colors
}
