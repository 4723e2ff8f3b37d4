package cellprofile

import (
	"bytes"
	"encoding/xml"
	"image/color"
	"image/png"
	"io"
	"math"
	"slices"
	"strings"
	"testing"

	"github.com/google/pprof/profile"

	"github.com/perijove/perijove/lib/execprofile"
)

// written returns a profile whose samples have the calls, innermost first.
func written(samples map[string]int64) *profile.Profile {
	p := &profile.Profile{SampleType: []*profile.ValueType{{Type: "samples", Unit: "count"}, {Type: "delay", Unit: "nanoseconds"}}, PeriodType: &profile.ValueType{}}
	for calls, value := range samples {
		s := &profile.Sample{Value: []int64{1, value}}
		for _, call := range strings.Split(calls, " ") {
			name, file, _ := strings.Cut(call, "@")
			f := &profile.Function{ID: uint64(len(p.Function) + 1), Name: name, Filename: strings.ReplaceAll(file, "_", " ")}
			l := &profile.Location{ID: f.ID, Line: []profile.Line{{Function: f, Line: 2}}}
			p.Function, p.Location = append(p.Function, f), append(p.Location, l)
			s.Location = append(s.Location, l)
		}
		p.Sample = append(p.Sample, s)
	}
	return p
}

func TestProfile(t *testing.T) {
	const run = " runtime.main@/x/kernel/internal/worker/run.go " + kernelPackages + "worker.(*worker).run"
	raw := written(map[string]int64{
		"main.f@Cell_[3] main.cell.3@Cell_[3]" + run:                      2e9,
		"runtime.asyncPreempt main.f@Cell_[3] main.cell.3@Cell_[3]" + run: 1e9,
		"net/http.get@/x.go main.cell.3@Cell_[3]" + run:                   1e9,
		"main.g@Cell_[1]": 1e3,
		"runtime.chanrecv " + kernelPackages + "worker.runAll":      5e9,
		"runtime/pprof.Write main.cell.0@Cell_[0]" + run:            7e9,
		"runtime.read " + kernelPackages + "control.Read main.main": 0,
	})
	kind, err := KindOf("block")
	if err != nil {
		t.Fatal(err)
	}
	p, err := New(kind, raw, []execprofile.Process{{PID: 7, First: true}})
	if err != nil {
		t.Fatal(err)
	}
	if p.Total != 4e9+1e3 {
		t.Errorf("the total is %d", p.Total)
	}
	if own, total := p.Share("main.f"); math.Abs(own-0.75) > 1e-6 || own != total {
		t.Errorf("f has %v, %v", own, total)
	}
	if own, total := p.Share("main.cell.3"); own != 0 || total < 0.999 {
		t.Errorf("the cell has %v, %v", own, total)
	}
	text, page := p.Tables(3, func(int, int) string { return "\tx < f()" })
	for _, want := range []string{"waiting time: 4s", "  75.0%   75.0%           3s  main.f\n", "  75.0%  100.0%           4s    2  \tx < f()"} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if !strings.Contains(page, "x &lt; f()</code>") {
		t.Errorf("the page: %s", page)
	}
	svg := p.Flame().SVG()
	if picture, err := png.Decode(bytes.NewReader(p.Flame().PNG())); err != nil || picture.Bounds().Dx() != 2*width {
		t.Errorf("the picture: %v", err)
	} else if r, g, b, _ := picture.At(2*600, 2*rowHeight+30).RGBA(); r>>8 != 0xf0 || g>>8 != 0xa3 || b>>8 != 0x5e {
		t.Errorf("the cell has the colour %x %x %x", r>>8, g>>8, b>>8)
	} else if r, g, b, _ := picture.At(2*800, 2*2*rowHeight+30).RGBA(); pale(85) != (color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 0xff}) {
		t.Errorf("net/http has the colour %x %x %x", r>>8, g>>8, b>>8)
	}
	for dec := xml.NewDecoder(strings.NewReader(svg)); ; {
		if _, err := dec.Token(); err == io.EOF {
			break
		} else if err != nil {
			t.Fatalf("not well-formed: %v\n%s", err, svg)
		}
	}
	for _, want := range []string{"<title>main.f: 3s, 75.0%</title>", "width=\"720.00\"", ">http.get</text>", "1 call with less than"} {
		if !strings.Contains(svg, want) {
			t.Errorf("%q is missing in\n%s", want, svg)
		}
	}
	if strings.Contains(svg, "worker") || strings.Contains(svg, "cell.0") {
		t.Errorf("the worker's own calls are in\n%s", svg)
	}
	if _, err := KindOf("speed"); err == nil {
		t.Error("an unknown kind is accepted")
	}
}

// TestProcesses checks that a profile of several processes shows each of them, and only the calls of their functions.
func TestProcesses(t *testing.T) {
	const start = " " + childRun + " " + childPackages + "child.(*Entry).work " + kernelPackages + "worker.Main main.main"
	kind, err := KindOf("block")
	if err != nil {
		t.Fatal(err)
	}
	record := func(children int) *Profile {
		processes := []execprofile.Process{{PID: 1, First: true}, {PID: 99, Problem: "it ended"}}
		all := []*profile.Profile{written(map[string]int64{"main.f": 4e9, "main.h runtime/pprof.profileWriter": 1e9})}
		for pid := 2; pid < 2+children; pid++ {
			all = append(all, written(map[string]int64{"main.f " + childCall + "invoke " + childPackages + "child.(*batchRun).runRow" + start: 1e9, "main.g " + childListen: 1e9, kernelPackages + "link.Load " + childListen: 5e9}))
			processes = append(processes, execprofile.Process{PID: pid})
		}
		for i, one := range all {
			one.SetLabel(execprofile.Label, []string{slices.DeleteFunc(slices.Clone(processes), func(p execprofile.Process) bool { return p.Problem != "" })[i].Name()})
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
	p := record(2)
	text, page := p.Tables(3, nil)
	for _, want := range []string{
		"waiting time: 8s in 3 processes\nchild 99 is missing: it ended\n", "  50.0%           4s  process 1\n", "  25.0%           2s  child 3\n",
		"  75.0%   75.0%           6s  main.f\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is missing in\n%s", want, text)
		}
	}
	if !strings.Contains(page, "<code>child 2</code>") || strings.Contains(text, "kernel/internal") {
		t.Errorf("the tables:\n%s\n%s", text, page)
	}
	svg := p.Flame().SVG()
	for _, want := range []string{"<title>process 1: 4s, 50.0%</title>", "<title>child 2: 2s, 25.0%</title>", "<title>main.f: 1s, 12.5%</title>"} {
		if !strings.Contains(svg, want) {
			t.Errorf("%q is missing in\n%s", want, svg)
		}
	}
	p = record(maxShownProcesses)
	svg = p.Flame().SVG()
	if !strings.Contains(svg, "<title>8 children: 16s, 80.0%</title>") || strings.Contains(svg, "child 2") {
		t.Errorf("many processes:\n%s", svg)
	}
}
