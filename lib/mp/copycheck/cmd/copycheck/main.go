// Command copycheck runs the check of package copycheck over packages:
//
//	go run github.com/perijove/perijove/lib/mp/copycheck/cmd/copycheck ./...
package main

import (
	"golang.org/x/tools/go/analysis/singlechecker"

	"github.com/perijove/perijove/lib/mp/copycheck"
)

func main() { singlechecker.Main(copycheck.Analyzer) }
