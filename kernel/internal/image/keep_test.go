package image

import (
	"maps"
	"slices"
	"testing"
)

// TestLinkedPackages checks that the worker executable does not contain package cluster, packages that import it,
// internal packages that no other package needs, and packages that only these need.
func TestLinkedPackages(t *testing.T) {
	linked := linkedPackages([]listed{
		{ImportPath: "fmt", Imports: []string{"io"}},
		{ImportPath: "io"},
		{ImportPath: "shared", DepOnly: true, Imports: []string{"io"}},
		{ImportPath: "nats", DepOnly: true, Imports: []string{"fmt", "shared", "crypto"}},
		{ImportPath: "crypto", DepOnly: true},
		{ImportPath: "github.com/perijove/perijove/lib/cluster", Imports: []string{"nats", "github.com/perijove/perijove/lib/mp"}},
		{ImportPath: "github.com/perijove/perijove/lib/cluster/clusterworker", Imports: []string{"io", "github.com/perijove/perijove/lib/cluster"}},
		{ImportPath: "github.com/perijove/perijove/lib/cluster/internal/objects", Imports: []string{"nats"}},
		{ImportPath: "github.com/perijove/perijove/lib/mp", Imports: []string{"shared", "unsafe", "github.com/perijove/perijove/lib/mp/internal/call"}},
		{ImportPath: "github.com/perijove/perijove/lib/mp/internal/call"},
	})
	want := []string{"fmt", "github.com/perijove/perijove/lib/mp", "github.com/perijove/perijove/lib/mp/internal/call", "io", "shared"}
	if got := slices.Sorted(maps.Keys(linked)); !slices.Equal(got, want) {
		t.Errorf("linked: %q, want %q", got, want)
	}
}
