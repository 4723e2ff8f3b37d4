package wire

import (
	"cmp"
	goversion "go/version"
	"strings"
)

// GoLanguage describes Go for a toolchain's version, such as "1.26.8". The Version in the result has no patch
// release: front ends store the description in notebooks, and would mark each notebook as changed after an update of
// Go.
func GoLanguage(toolchain string) LanguageInfo {
	language := strings.TrimPrefix(goversion.Lang("go"+toolchain), "go")
	return LanguageInfo{
		Name:           "go",
		Version:        cmp.Or(language, toolchain),
		MIMEType:       "text/x-go",
		FileExtension:  ".go",
		PygmentsLexer:  "go",
		CodemirrorMode: "go",
	}
}
