package server

import (
	"context"
	"fmt"

	"github.com/perijove/perijove/kernel/internal/version"
	"github.com/perijove/perijove/kernel/internal/wire"
)

func (s *Server) kernelInfo(context.Context, *request, *wire.KernelInfoRequest) (reply, error) {
	return answer(&wire.KernelInfoReply{
		Status:                wire.Status{Status: wire.StatusOK},
		ProtocolVersion:       wire.ProtocolVersion,
		Implementation:        "perijove",
		ImplementationVersion: version.Version,
		LanguageInfo:          wire.GoLanguage(s.GoVersion),
		Banner:                fmt.Sprintf("Perijove %s: Go %s, compiled natively cell by cell", version.Version, s.GoVersion),
		HelpLinks: []wire.HelpLink{
			{Text: "Go standard library", URL: "https://pkg.go.dev/std"},
			{Text: "The Go language", URL: "https://go.dev/ref/spec"},
			{Text: "Gonum plot", URL: "https://pkg.go.dev/gonum.org/v1/plot"},
		},
		SupportedFeatures: []string{"kernel subshells"},
	})
}
