package source

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"

	"github.com/perijove/perijove/kernel/internal/cell"
)

// output matches the beginning of an example's output comment, as go/doc does.
var output = regexp.MustCompile(`(?i)^[[:space:]]*(unordered )?output:`)

// HasMisplacedOutput reports whether a function has an output comment that is not its last comment. The command go test ignores such a comment.
func HasMisplacedOutput(d *cell.Decl) bool {
	file, err := parser.ParseFile(token.NewFileSet(), "", declCode(d), parser.ParseComments|parser.SkipObjectResolution)
	if err != nil || len(file.Decls) == 0 {
		return false
	}
	var inside []*ast.CommentGroup
	for _, c := range file.Comments {
		if c.Pos() > file.Decls[0].Pos() && c.End() <= file.Decls[0].End() && c != file.Decls[0].(*ast.FuncDecl).Doc {
			inside = append(inside, c)
		}
	}
	for i, c := range inside {
		if i < len(inside)-1 && output.MatchString(c.Text()) {
			return true
		}
	}
	return false
}
