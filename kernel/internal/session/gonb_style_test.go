package session

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestGonbGetsPackages: in a notebook written for GoNB, missing packages are downloaded without a directive. Packages
// of modules that go.mod already requires keep their versions.
func TestGonbGetsPackages(t *testing.T) {
	s := sessionIn(t, `
-- go.mod --
module example.com/shop

go 1.26

require (
	example.com/price v0.0.0
	golang.org/x/exp v0.0.0
)

replace (
	example.com/price => ./price
	example.com/rate => ./rate
	example.com/tax => ./tax
	golang.org/x/exp => ./exp
)
-- go.work --
go 1.26
-- notebooks/x.txt --
-- price/go.mod --
module example.com/price

go 1.26

require example.com/tax v0.0.0
-- price/price.go --
package price

import "example.com/tax"

func Of(n int) int { return n + tax.Of(n) }
-- tax/go.mod --
module example.com/tax

go 1.26

require example.com/rate v0.0.0
-- tax/tax.go --
package tax

import "example.com/rate"

func Of(n int) int { return n * rate.Percent / 100 }
-- rate/go.mod --
module example.com/rate

go 1.26
-- rate/rate.go --
package rate

const Percent = 10
-- exp/go.mod --
module golang.org/x/exp

go 1.26
-- exp/constraints/constraints.go --
package constraints

type Integer interface{ ~int | ~int64 }
`)
	dir := filepath.Dir(s.cfg.Dir)
	mustContain(t, show(t, s, "%%\nfmt.Println(1)\n!*rm -f go.work go.sum"), "would remove go.work", "write ! instead of !*")
	if _, err := os.Stat(filepath.Join(dir, "go.work")); err != nil {
		t.Error("the module's go.work is gone:", err)
	}
	mustContain(t, show(t, s, "!rm ../go.work\n!*rm -f go.work"), "would remove go.work")

	// With %noautoget, go.mod and go.sum are still completed for a required module.
	if got := show(t, s, "%noautoget\nimport \"example.com/price\""); got != "[display text/plain]\ngo.mod has been completed for example.com/price\n[update text/plain]\n\n" {
		t.Error(got)
	}
	if got := show(t, s, "%autoget\nimport \"example.com/price\"\n%%\nfmt.Println(price.Of(20))"); got != "[stdout]\n22\n" {
		t.Error(got)
	}
	if got := show(t, s, "func double[T constraints.Integer](n T) T { return n + n }\ndouble(4)"); !strings.HasSuffix(got, "\n8\n") || strings.Contains(got, "stderr") {
		t.Error(got)
	}
}

// TestAwaitsInput: the user is not asked for a line while the command has not read the
// last one, or when it has ended.
func TestAwaitsInput(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := w.WriteString("line\n"); err != nil {
		t.Fatal(err)
	}
	ctx, end := context.WithCancel(t.Context())
	answer := make(chan bool, 1)
	go func() { answer <- awaitsInput(ctx, w) }()
	end()
	if <-answer {
		t.Error("a line is unread, the command has ended, and yet it wants another")
	}
	go func() { answer <- awaitsInput(t.Context(), w) }()
	if _, err := r.Read(make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	if !<-answer {
		t.Error("all is read, and it wants no more")
	}
}
