//go:build ignore

// Genlogo writes the kernel's icons to files: a planet, and an elliptic orbit with the
// planet at its focus. Run it with go generate.
package main

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"log"
	"math"
	"os"
	"path/filepath"
)

// Geometry, in units of a 64 by 64 square.
const (
	planetX, planetY = 24.5, 39.5
	semiMajor        = 25.0
	eccentricity     = 0.5
	tilt             = -math.Pi / 4
	periapsis        = semiMajor * (1 - eccentricity)
	stroke           = 2.6
	planetRadius     = periapsis - stroke/2
	probeRadius      = 3.6
)

var (
	planetColor = color.RGBA{0xe0, 0x92, 0x4a, 0xff}
	bandColor   = color.RGBA{0xb0, 0x62, 0x2c, 0xff}
	orbitColor  = color.RGBA{0x00, 0x8f, 0xb3, 0xff}
	white       = color.RGBA{0xff, 0xff, 0xff, 0xff}
)

var bands = []struct{ y, half float64 }{{-4.5, 1.1}, {1, 1.6}, {6, 0.9}}

func main() {
	log.SetFlags(0)
	write("logo-svg.svg", []byte(svg()))
	for _, size := range []int{32, 64} {
		var buf bytes.Buffer
		if err := png.Encode(&buf, raster(size)); err != nil {
			log.Fatal(err)
		}
		write(fmt.Sprintf("logo-%dx%d.png", size, size), buf.Bytes())
	}
}

func write(name string, content []byte) {
	if err := os.WriteFile(filepath.Join("files", name), content, 0o644); err != nil {
		log.Fatal(err)
	}
}

// at returns the color at a point, and whether there is any.
func at(x, y float64) (color.RGBA, bool) {
	dx, dy := x-planetX, y-planetY
	// u and v are the coordinates along and across the major axis, from the focus. The
	// nearest point of the orbit is (-periapsis, 0).
	u := dx*math.Cos(tilt) + dy*math.Sin(tilt)
	v := -dx*math.Sin(tilt) + dy*math.Cos(tilt)
	if d := math.Hypot(u+periapsis, v); d < probeRadius {
		if d < probeRadius-1.4 {
			return white, true
		}
		return orbitColor, true
	}
	if onOrbit(u, v) {
		return orbitColor, true
	}
	if math.Hypot(dx, dy) < planetRadius {
		for _, b := range bands {
			if math.Abs(dy-b.y) < b.half {
				return bandColor, true
			}
		}
		return planetColor, true
	}
	return color.RGBA{}, false
}

// onOrbit reports whether a point is within half a stroke of the conic r = p / (1 + e cos θ).
func onOrbit(u, v float64) bool {
	const p = semiMajor * (1 - eccentricity*eccentricity)
	f := func(u, v float64) float64 { return math.Hypot(u, v) - p - eccentricity*u }
	const h = 1e-4
	slope := math.Hypot(f(u+h, v)-f(u-h, v), f(u, v+h)-f(u, v-h)) / (2 * h)
	return math.Abs(f(u, v)) < stroke/2*slope
}

func raster(size int) image.Image {
	const samples = 8
	img := image.NewNRGBA(image.Rect(0, 0, size, size))
	for py := range size {
		for px := range size {
			var r, g, b, n float64
			for s := range samples * samples {
				x := (float64(px) + (float64(s%samples)+0.5)/samples) * 64 / float64(size)
				y := (float64(py) + (float64(s/samples)+0.5)/samples) * 64 / float64(size)
				if c, ok := at(x, y); ok {
					r, g, b, n = r+float64(c.R), g+float64(c.G), b+float64(c.B), n+1
				}
			}
			if n > 0 {
				img.SetNRGBA(px, py, color.NRGBA{uint8(r / n), uint8(g / n), uint8(b / n), uint8(255 * n / samples / samples)})
			}
		}
	}
	return img
}

func hex(c color.RGBA) string { return fmt.Sprintf("#%02x%02x%02x", c.R, c.G, c.B) }

func svg() string {
	var b bytes.Buffer
	fmt.Fprintln(&b, `<svg xmlns="http://www.w3.org/2000/svg" width="64" height="64" viewBox="0 0 64 64">`)
	fmt.Fprintf(&b, "  <circle cx=\"%g\" cy=\"%g\" r=\"%g\" fill=\"%s\"/>\n", planetX, planetY, planetRadius, hex(planetColor))
	for _, s := range bands {
		half := math.Sqrt(planetRadius*planetRadius - s.y*s.y)
		fmt.Fprintf(&b, "  <path d=\"M%.2f %.2fh%.2f\" stroke=\"%s\" stroke-width=\"%g\"/>\n",
			planetX-half, planetY+s.y, 2*half, hex(bandColor), 2*s.half)
	}
	minor := semiMajor * math.Sqrt(1-eccentricity*eccentricity)
	fmt.Fprintf(&b, "  <g transform=\"translate(%g %g) rotate(%g)\" stroke=\"%s\">\n", planetX, planetY, tilt*180/math.Pi, hex(orbitColor))
	fmt.Fprintf(&b, "    <ellipse cx=\"%g\" rx=\"%g\" ry=\"%.2f\" fill=\"none\" stroke-width=\"%g\"/>\n",
		semiMajor*eccentricity, semiMajor, minor, stroke)
	fmt.Fprintf(&b, "    <circle cx=\"%g\" r=\"%g\" fill=\"#ffffff\" stroke-width=\"1.4\"/>\n", -periapsis, probeRadius-0.7)
	fmt.Fprintln(&b, "  </g>\n</svg>")
	return b.String()
}
