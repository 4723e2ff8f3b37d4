package conformance

import (
	"crypto/sha256"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"testing"
)

//go:embed testdata/modules.txt
var moduleList string

// sweepSeed is the prefix of a module's path in the hash that determines the order of the
// drawn modules.
const sweepSeed = "perijove 2026-11-27 "

// A sweptModule is a line of testdata/modules.txt.
type sweptModule struct {
	path, version string
	reason        string // why it was chosen; empty if it was drawn
}

// sweptModules reads the list: the drawn modules, then the chosen ones.
func sweptModules() (drawn, chosen []sweptModule, err error) {
	var section string
	for line := range strings.Lines(moduleList) {
		fields := strings.SplitN(strings.TrimSpace(line), " ", 3)
		switch {
		case fields[0] == "" || fields[0] == "#":
		case len(fields) == 1:
			section = fields[0]
		case section == "drawn" && len(fields) == 2:
			drawn = append(drawn, sweptModule{path: fields[0], version: fields[1]})
		case section == "chosen" && len(fields) == 3:
			chosen = append(chosen, sweptModule{fields[0], fields[1], fields[2]})
		default:
			return nil, nil, fmt.Errorf("testdata/modules.txt: unexpected line %q", line)
		}
	}
	return drawn, chosen, nil
}

func TestModuleList(t *testing.T) {
	drawn, chosen, err := sweptModules()
	if err != nil {
		t.Fatal(err)
	}
	if len(drawn) != 200 || len(chosen) != 40 {
		t.Errorf("%d drawn and %d chosen modules, want 200 and 40", len(drawn), len(chosen))
	}
	rank := func(m sweptModule) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(sweepSeed+m.path))) }
	if !slices.IsSortedFunc(drawn, func(a, b sweptModule) int { return strings.Compare(rank(a), rank(b)) }) {
		t.Error("the drawn modules are not in the order of the rule")
	}
	seen := map[string]bool{}
	for _, m := range append(drawn, chosen...) {
		if seen[m.path] {
			t.Errorf("%s is listed twice", m.path)
		}
		seen[m.path] = true
	}
}
