//go:build tools

// Package tools pins what "go build" makes of this module.
package tools

import (
	_ "github.com/sigstore/cosign/v3/cmd/cosign"
)
