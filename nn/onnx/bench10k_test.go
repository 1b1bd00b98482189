package onnx
import ("testing";"compress/gzip";"io";"os";"time")
func TestTenK(t *testing.T){
 d:=dataFolder(t)
 rd:=func(n string)[]byte{f,_:=os.Open(d+"/datasets/mnist/"+n);z,_:=gzip.NewReader(f);b,_:=io.ReadAll(z);return b}
 x:=rd("t10k-images-idx3-ubyte.gz")[16:]; y:=rd("t10k-labels-idx1-ubyte.gz")[8:]
 for _,m:=range []string{"gazelle/mnist_minionn","gazelle/mnist_secure_ml","wild/wild_torch_lenet_bn1d"}{
 g,_:=ReadFile(d+"/models/"+m+".onnx"); var ts [][]float32; right:=0; in:=make([]float32,784); t0:=time.Now()
 for i:=range y { for j:=range in {in[j]=float32(x[i*784+j])/255}; ts,_=g.RunAll(in,ts); if argMax(ts[g.Output])==int(y[i]){right++}}
 t.Log(m,right,time.Since(t0))}
}
