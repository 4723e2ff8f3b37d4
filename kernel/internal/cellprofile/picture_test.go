package cellprofile

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"os"
	"testing"

	"github.com/google/pprof/profile"

	"github.com/perijove/perijove/lib/execprofile"
)

// example returns a profile of three processes, with calls of several packages.
func example(t *testing.T) *Profile {
	t.Helper()
	kind, err := KindOf("block")
	if err != nil {
		t.Fatal(err)
	}
	processes := []execprofile.Process{{PID: 4710, First: true}, {PID: 4711}, {PID: 4712}}
	all := []*profile.Profile{
		written(map[string]int64{"main.cell.3@Cell_[3]": 1e9, "github.com/perijove/perijove/lib/mp.Map[go.shape.int] main.cell.3@Cell_[3]": 5e8, "runtime.gcBgMarkWorker": 3e8}),
		written(map[string]int64{"slices.Index[go.shape.[]int] slices.Contains[go.shape.[]int] main.Distinct@Cell_[2]": 3e9, "runtime.growslice main.Distinct@Cell_[2]": 4e8, "main.Distinct@Cell_[2]": 6e8}),
		written(map[string]int64{"slices.Index[go.shape.[]int] slices.Contains[go.shape.[]int] main.Distinct@Cell_[2]": 2e9, "encoding/json.Marshal main.report@Cell_[2]": 1e9, "os.(*File).Write main.report@Cell_[2]": 2e6}),
	}
	for i, one := range all {
		one.SetLabel(execprofile.Label, []string{processes[i].Name()})
	}
	raw, err := profile.Merge(all)
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(kind, raw, processes)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// TestGoldenPicture compares the PNG of a flame graph with a stored one: on average, a color may differ by 2 of 255.
func TestGoldenPicture(t *testing.T) {
	b := example(t).Flame().PNG()
	const name, maxBytes = "testdata/flame.png", 60_000
	if len(b) == 0 || len(b) > maxBytes {
		t.Errorf("the picture has %d bytes, want at most %d", len(b), maxBytes)
	}
	if os.Getenv("UPDATE_PICTURES") != "" {
		if err := os.WriteFile(name, b, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	stored, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	got, want := decode(t, b), decode(t, stored)
	if got.Bounds() != want.Bounds() {
		t.Fatalf("the picture has %v, want %v", got.Bounds(), want.Bounds())
	}
	if d := difference(got, want); d > 2 {
		t.Errorf("colours differ by %.1f on average; UPDATE_PICTURES=1 stores the new picture: look at it", d)
	}
	if d := difference(got, image.NewUniform(color.White)); d < 2 {
		t.Errorf("the picture is white: %.1f", d)
	}
}

func decode(t *testing.T, b []byte) image.Image {
	t.Helper()
	p, err := png.Decode(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// difference returns the mean difference of the colors of two pictures.
func difference(a, b image.Image) float64 {
	sum, n := 0.0, 0.0
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			r, g, bl, _ := a.At(x, y).RGBA()
			r2, g2, b2, _ := b.At(x, y).RGBA()
			for _, c := range [][2]uint32{{r, r2}, {g, g2}, {bl, b2}} {
				sum += float64(max(c[0], c[1])-min(c[0], c[1])) / 257
			}
			n += 3
		}
	}
	return sum / n
}
