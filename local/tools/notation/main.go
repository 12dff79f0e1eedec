// Command notation signs an image of a registry without TLS, as the notation CLI does, by the same library.
package main

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"flag"
	"fmt"
	"os"

	"github.com/notaryproject/notation-go"
	"github.com/notaryproject/notation-go/registry"
	"github.com/notaryproject/notation-go/signer"
	"oras.land/oras-go/v2/registry/remote"

	_ "github.com/notaryproject/notation-core-go/signature/cose"
	_ "github.com/notaryproject/notation-core-go/signature/jws"
)

func main() {
	key := flag.String("key", "", "PEM of the private key (PKCS #8)")
	chain := flag.String("chain", "", "PEM of the signing certificate and those above it")
	envelope := flag.String("format", "application/jose+json", "media type of the envelope")
	flag.Parse()
	if err := sign(flag.Arg(0), *key, *chain, *envelope); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func sign(image, keyFile, chainFile, envelope string) error {
	keyBlocks, err := blocks(keyFile)
	if err != nil {
		return err
	}
	key, err := x509.ParsePKCS8PrivateKey(keyBlocks[0])
	if err != nil {
		return err
	}
	certificateBlocks, err := blocks(chainFile)
	if err != nil {
		return err
	}
	var certificates []*x509.Certificate
	for _, der := range certificateBlocks {
		certificate, err := x509.ParseCertificate(der)
		if err != nil {
			return err
		}
		certificates = append(certificates, certificate)
	}
	by, err := signer.NewGenericSigner(key, certificates)
	if err != nil {
		return err
	}
	repository, err := remote.NewRepository(image)
	if err != nil {
		return err
	}
	repository.PlainHTTP = true
	_, err = notation.Sign(context.Background(), by, registry.NewRepository(repository), notation.SignOptions{
		SignerSignOptions: notation.SignerSignOptions{SignatureMediaType: envelope},
		ArtifactReference: image,
	})
	return err
}

func blocks(file string) ([][]byte, error) {
	rest, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var found [][]byte
	for block, rest := pem.Decode(rest); block != nil; block, rest = pem.Decode(rest) {
		found = append(found, block.Bytes)
	}
	if len(found) == 0 {
		return nil, fmt.Errorf("%s holds no PEM", file)
	}
	return found, nil
}
