package docs

import (
	"encoding/json"
	"fmt"
	"os"
	"strings"
	"testing"
)

// TestBenchmarkTable compares the table of package mp in benchmarks.md with the figures in parallel.json.
func TestBenchmarkTable(t *testing.T) {
	const page, begin, end = "benchmarks.md", "<!-- parallel.json -->\n", "<!-- end -->"
	content, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, ok := strings.Cut(string(content), begin)
	got, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		t.Fatalf("%s has no table between %q and %q", page, begin, end)
	}
	want := benchmarkTable(t)
	if got == want {
		return
	}
	if !*update {
		t.Fatalf("%s differs from parallel.json: go test ./docs -run BenchmarkTable -update writes the table\n%s", page, want)
	}
	if err := os.WriteFile(page, []byte(before+begin+want+end+after), 0o644); err != nil {
		t.Fatal(err)
	}
}

// benchmarkTable has one row for each figure. A ratio whose interval includes 1 is not a gain.
func benchmarkTable(t *testing.T) string {
	data, err := os.ReadFile("parallel.json")
	if err != nil {
		t.Fatal(err)
	}
	var figures struct {
		Caption string
		Results []struct {
			Name, Measured    string
			Median, Low, High float64
		}
	}
	if err := json.Unmarshal(data, &figures); err != nil {
		t.Fatal(err)
	}
	var b strings.Builder
	b.WriteString("| what | package mp | times the speed of the other | 95 % interval |\n|---|---|---|---|\n")
	for _, r := range figures.Results {
		ratio := fmt.Sprintf("%.3g", r.Median)
		if r.Low <= 1 && 1 <= r.High {
			ratio = "no difference shown"
		}
		fmt.Fprintf(&b, "| %s | %s | %s | %.3g to %.3g |\n", r.Name, r.Measured, ratio, r.Low, r.High)
	}
	fmt.Fprintf(&b, "\n%s\n", figures.Caption)
	return b.String()
}
