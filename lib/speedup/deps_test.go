package speedup

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

// Package speedup must not import gonum/plot, so that a program that only measures
// does not link it, and the compiler of a cell does not read its export data.
func TestMeasuringNeedsNoPlotLibrary(t *testing.T) {
	dependencies := func(pkg string) []string {
		out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", pkg).Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.Fields(string(out))
	}
	const plot = "gonum.org/v1/plot"
	if !slices.Contains(dependencies("./chart"), plot) {
		t.Errorf("package chart does not depend on %s: has it moved?", plot)
	}
	for _, p := range dependencies(".") {
		if strings.HasPrefix(p, "gonum.org/") || strings.HasPrefix(p, "golang.org/x/image") {
			t.Errorf("package speedup depends on %s", p)
		}
	}
}
