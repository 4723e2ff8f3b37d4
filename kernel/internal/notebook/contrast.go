package notebook

import (
	"fmt"
	"math"
)

// minContrast is the contrast ratio that WCAG requires of text at level AA.
const minContrast = 4.5

// The backgrounds on which text is hardest to read, in the page's light and dark
// colours.
const (
	darkestLight = "#e4e7eb"
	lightestDark = "#30373f"
)

// eight has the eight terminal colours as hexadecimal numbers.
var eight = [...]string{"#24292f", "#b3221a", "#136c2e", "#755300", "#0a50b8", "#7d36b5", "#0c6475", "#5a636c"}

// hexOf returns a colour of an ansiStyle as a hexadecimal number, or "" for "".
func hexOf(c string) string {
	if len(c) == 1 {
		return eight[c[0]-'0']
	}
	return c
}

type rgb [3]float64 // 0 to 255

func parseHex(c string) rgb {
	var n [3]int
	if _, err := fmt.Sscanf(c, "#%02x%02x%02x", &n[0], &n[1], &n[2]); err != nil {
		panic(fmt.Sprintf("notebook: %q is not a colour: %v", c, err))
	}
	return rgb{float64(n[0]), float64(n[1]), float64(n[2])}
}

func (c rgb) String() string {
	return fmt.Sprintf("#%02x%02x%02x", int(math.Round(c[0])), int(math.Round(c[1])), int(math.Round(c[2])))
}

// luminance returns the relative luminance as defined by WCAG.
func luminance(c rgb) float64 {
	sum := 0.0
	for i, weight := range []float64{0.2126, 0.7152, 0.0722} {
		x := c[i] / 255
		if x <= 0.04045 {
			x /= 12.92
		} else {
			x = math.Pow((x+0.055)/1.055, 2.4)
		}
		sum += weight * x
	}
	return sum
}

// contrast returns the contrast ratio as defined by WCAG, 1 to 21.
func contrast(a, b rgb) float64 {
	x, y := luminance(a), luminance(b)
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// readable returns a colour for text on a background: fg, or a colour between fg
// and black or white. If fg is empty, it is black or white.
func readable(fg, bg string) string {
	on := parseHex(bg)
	to := rgb{255, 255, 255}
	if contrast(rgb{}, on) > contrast(to, on) {
		to = rgb{}
	}
	if fg == "" {
		return to.String()
	}
	from := parseHex(fg)
	const steps = 64
	for i := range steps {
		var c rgb
		for k := range c {
			c[k] = math.Round(from[k] + (to[k]-from[k])*float64(i)/steps)
		}
		if contrast(c, on) >= minContrast {
			return c.String()
		}
	}
	return to.String()
}
