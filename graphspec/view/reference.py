"""docs/ops.md: the catalogue and library, and where names of other libraries are found in it."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator

from graphspec.callee import Callee, resolve_catalogue, signature
from graphspec.view.catalogue import attribute_rows, documentation, family, nature

# theirs=ours; a bare name is ours too; theirs=- is missing; several words may stand for ours
ARRAY_API = """
abs acos acosh add all any arange argmax argmin argsort asin asinh astype=cast atan atan2 atanh bitwise_and
bitwise_invert bitwise_left_shift bitwise_or bitwise_right_shift bitwise_xor broadcast_arrays=broadcast_to
broadcast_to ceil cholesky clip concat conj=- copysign cos cosh count_nonzero cross=- cumulative_prod cumulative_sum
det diagonal diff=- divide eigh eigvalsh=eigh empty=zeros empty_like=zeros_like equal exp expand_dims expm1 eye flip
floor floor_divide full full_like greater greater_equal hypot imag=- inv isfinite isin=- isinf isnan less less_equal
linspace log log10 log1p log2 logaddexp logical_and logical_not logical_or logical_xor matmul matrix_norm
matrix_power=- matrix_rank=- matrix_transpose max maximum mean meshgrid=- min minimum moveaxis multiply negative
nextafter nonzero not_equal ones ones_like outer permute_dims pinv positive=identity pow prod qr real=- reciprocal
remainder repeat reshape roll round searchsorted sign signbit sin sinh slogdet solve sort sqrt square squeeze stack
std sum svd svdvals=svd subtract take take_along_axis tan tanh tensordot tile trace tril triu trunc unique_values=-
unstack var vecdot vector_norm where zeros zeros_like
"""
ONNX = """
Abs=abs Acos=acos Acosh=acosh Add=add And=logical_and ArgMax=argmax ArgMin=argmin Asin=asin Asinh=asinh Atan=atan
Atanh=atanh AveragePool=avg_pool BatchNormalization=batch_norm Bernoulli=random_bernoulli BitShift=bitwise_left_shift
BitwiseAnd=bitwise_and BitwiseNot=bitwise_invert BitwiseOr=bitwise_or BitwiseXor=bitwise_xor BlackmanWindow=-
Cast=cast CastLike=cast Ceil=ceil Celu=celu CenterCropPad=pad Clip=clip Col2Im=fold Compress=- Concat=concat
Constant=constants ConstantOfShape=full Conv=conv ConvInteger=- ConvTranspose=conv_transpose Cos=cos Cosh=cosh
CumSum=cumulative_sum DFT=- DeformConv=- DepthToSpace=pixel_shuffle DequantizeLinear=- Det=det Div=divide
Dropout=dropout Einsum=einsum Elu=elu Equal=equal Erf=erf Exp=exp Expand=broadcast_to EyeLike=eye Flatten=flatten
Floor=floor GRU=- Gather=take GatherElements=take_along_axis GatherND=gather_nd Gelu=gelu Gemm=matmul
GlobalAveragePool=global_average_pool GlobalMaxPool=global_max_pool Greater=greater GreaterOrEqual=greater_equal
GridSample=- GroupNormalization=group_norm HardSigmoid=hard_sigmoid HardSwish=hard_swish Hardmax=- Identity=identity
If=- InstanceNormalization=instance_norm IsInf=isinf IsNaN=isnan LRN=local_response_norm LSTM=-
LayerNormalization=layer_norm LeakyRelu=leaky_relu Less=less LessOrEqual=less_equal Log=log LogSoftmax=log_softmax
Loop=- LpNormalization=vector_norm LpPool=- MatMul=matmul MatMulInteger=- Max=maximum MaxPool=max_pool MaxRoiPool=-
MaxUnpool=- Mean=mean MeanVarianceNormalization=- Min=minimum Mish=mish Mod=remainder Mul=multiply
Multinomial=random_categorical Neg=negative NegativeLogLikelihoodLoss=negative_log_likelihood NonMaxSuppression=-
NonZero=nonzero Not=logical_not OneHot=one_hot Or=logical_or PRelu=prelu Pad=pad Pow=pow QuantizeLinear=- RNN=-
RandomNormal=random_normal RandomNormalLike=random_normal RandomUniform=random_uniform
RandomUniformLike=random_uniform Range=arange Reciprocal=reciprocal ReduceL1=vector_norm ReduceL2=vector_norm
ReduceLogSum=sum ReduceLogSumExp=logsumexp ReduceMax=max ReduceMean=mean ReduceMin=min ReduceProd=prod ReduceSum=sum
ReduceSumSquare=sum Relu=relu Reshape=reshape Resize=resize ReverseSequence=- RoiAlign=- Round=round
RotaryEmbedding=rotary_embedding RMSNormalization=rms_norm Attention=scaled_dot_product_attention STFT=- Scan=-
ScatterElements=scatter ScatterND=scatter_nd Selu=selu Shape=x.shape Shrink=- Sigmoid=sigmoid Sign=sign Sin=sin
Sinh=sinh Size=x.shape Slice=slice Softmax=softmax SoftmaxCrossEntropyLoss=cross_entropy Softplus=softplus
Softsign=softsign SpaceToDepth=- Split=split Sqrt=sqrt Squeeze=squeeze StringConcat=- Sub=subtract Sum=add Swish=silu
Tan=tan Tanh=tanh ThresholdedRelu=threshold Tile=tile TopK=top_k Transpose=permute_dims Trilu=tril Unique=-
Unsqueeze=expand_dims Where=where Xor=logical_xor
"""
TORCH = """
adaptive_avg_pool2d=adaptive_average_pool adaptive_max_pool2d=adaptive_max_pool affine_grid=- alpha_dropout=-
avg_pool1d=avg_pool avg_pool2d=avg_pool avg_pool3d=avg_pool batch_norm bilinear binary_cross_entropy
binary_cross_entropy_with_logits=binary_cross_entropy celu conv1d conv2d conv3d conv_transpose1d=conv_transpose
conv_transpose2d conv_transpose3d=conv_transpose cosine_embedding_loss=cosine_embedding cosine_similarity=vecdot
cross_entropy ctc_loss=- dropout dropout2d=dropout elu embedding embedding_bag=- feature_alpha_dropout=- fold
fractional_max_pool2d=- gaussian_nll_loss=gaussian_nll gelu glu grid_sample=- group_norm gumbel_softmax=- hardshrink=-
hardsigmoid=hard_sigmoid hardswish=hard_swish hardtanh=hard_tanh hinge_embedding_loss=- huber_loss=huber instance_norm
interpolate=resize kl_div=kl_divergence l1_loss=mean_absolute_error layer_norm leaky_relu linear local_response_norm
log_softmax logsigmoid=softplus lp_pool2d=- margin_ranking_loss=- max_pool1d=max_pool max_pool2d=max_pool
max_pool3d=max_pool max_unpool2d=- mish mse_loss=mean_squared_error multi_margin_loss=- multilabel_margin_loss=-
multilabel_soft_margin_loss=- nll_loss=negative_log_likelihood normalize=vector_norm one_hot pad
pairwise_distance=vector_norm pixel_shuffle pixel_unshuffle=- poisson_nll_loss=poisson_nll prelu relu relu6 rms_norm
rrelu=- scaled_dot_product_attention selu sigmoid silu smooth_l1_loss=smooth_l1 soft_margin_loss=- softmax softmin
softplus softshrink=- softsign tanh tanhshrink=- threshold triplet_margin_loss=triplet_margin unfold upsample=resize
"""
TORCH_OPTIM = """
ASGD=- Adadelta=adadelta Adafactor=- Adagrad=adagrad Adam=adam AdamW=adamw Adamax=adamax
AveragedModel=exponential_moving_average ChainedScheduler=multiply ConstantLR=constant_rate CosineAnnealingLR=cosine
CosineAnnealingWarmRestarts=cosine_restarts CyclicLR=- ExponentialLR=exponential_decay LBFGS=- LambdaLR=functions
LinearLR=linear_warm_up MultiStepLR=multi_step MultiplicativeLR=- Muon=- NAdam=nadam OneCycleLR=one_cycle
PolynomialLR=polynomial_decay RAdam=radam RMSprop=rmsprop ReduceLROnPlateau=reduce_on_plateau Rprop=- SGD=sgd SWALR=-
SequentialLR=where SparseAdam=- StepLR=step_decay clip_grad_norm_=clip_by_global_norm clip_grad_value_=clip_by_value
"""
NOT_OPS = ("constants", "functions", "x.shape")  # what the language has without an op
TABLES = (
    ("The Python array API standard (real dtypes)", ARRAY_API),
    ("ONNX, default domain", ONNX),
    ("torch.nn.functional", TORCH),
    ("torch.optim, its schedulers and torch.nn.utils", TORCH_OPTIM),
)


def ops_markdown() -> str:
    """Return the text of docs/ops.md."""
    return "\n".join(_lines()) + "\n"


def names(text: str) -> list[tuple[str, str | None]]:
    """Return their name and ours; None where there is none."""
    pairs = []
    for word in text.split():
        theirs, _, ours = word.partition("=")
        pairs.append((theirs, None if ours == "-" else ours or theirs))
    return pairs


def _lines() -> Iterator[str]:
    yield "# Ops and library functions"
    yield ""
    yield "Generated from the declarations: `graphspec ops` lists them, `graphspec ops NAME` prints one. Ops are"
    yield "primitives, written in `graphspec/ops/`; library functions are made of them, written as specs in"
    yield "`graphspec/library/`."
    families: dict[str, list[Callee]] = {}
    for callee in resolve_catalogue().values():
        families.setdefault(family(callee), []).append(callee)
    for name, members in families.items():
        yield ""
        yield f"## {name}"
        for callee in members:
            yield from _entry(callee)
    yield ""
    yield "# Names of other libraries"
    for title, text in TABLES:
        yield from _table(title, names(text))


def _entry(callee: Callee) -> Iterator[str]:
    facts = signature(callee)
    yield ""
    yield f"### {facts.name}"
    yield ""
    yield f"`{facts}`"
    yield ""
    yield from textwrap.dedent(inspect.cleandoc(documentation(callee))).splitlines()
    yield ""
    yield f"*{nature(callee)[0]}*"
    rows = attribute_rows(facts)
    if rows:
        yield ""
        yield "| attribute | kind | default | limits | about |"
        yield "|---|---|---|---|---|"
        yield from (f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in rows)
    if facts.parameters:
        yield ""
        yield f"Parameters: {', '.join(f'`{name}`' for name in facts.parameters)}."


def _table(title: str, pairs: list[tuple[str, str | None]]) -> Iterator[str]:
    yield ""
    yield f"## {title}"
    yield ""
    yield "| theirs | here |"
    yield "|---|---|"
    yield from (f"| `{theirs}` | `{ours}` |" for theirs, ours in pairs if ours is not None)
    missing = [theirs for theirs, ours in pairs if ours is None]
    yield ""
    yield f"Missing: {', '.join(f'`{name}`' for name in missing) or 'none'}."
