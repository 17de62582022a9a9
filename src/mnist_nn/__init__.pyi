# All public names, by module. Type checkers and editors treat "name as name" as an export.
from .analysis.attribution import (
    activations as activations,
    deepfool as deepfool,
    jsma as jsma,
    occlusion_sensitivity as occlusion_sensitivity,
    saliency as saliency,
)
from .analysis.robustness import measure_robustness as measure_robustness
from .analysis.selective import (
    confidence_threshold as confidence_threshold,
    risk_coverage as risk_coverage,
    select_confident as select_confident,
)
from .analysis.significance import mcnemar as mcnemar, summarize_seeds as summarize_seeds
from .augmentation import Augmentation as Augmentation
from .calibration import apply_temperature as apply_temperature, fit_temperature as fit_temperature
from .data import DataError as DataError, Mnist as Mnist, Split as Split, load_mnist as load_mnist
from .evaluation import Evaluation as Evaluation, evaluate as evaluate
from .model import (
    build_model as build_model,
    load_network as load_network,
    load_pretrained as load_pretrained,
    load_weights as load_weights,
    predict_probabilities as predict_probabilities,
    save_weights as save_weights,
)
from .non_digits import NonDigits as NonDigits
from .pictures.digit import predict_digit as predict_digit, prepare_image as prepare_image
from .pictures.drawing_pad import DrawingPad as DrawingPad
from .pictures.prediction import Prediction as Prediction
from .pictures.rows import read_digits as read_digits
from .pictures.table import predict_pictures as predict_pictures
from .plots.attribution import (
    plot_attributions as plot_attributions,
    plot_changes as plot_changes,
    plot_units as plot_units,
)
from .plots.data import (
    plot_class_balance as plot_class_balance,
    plot_digits as plot_digits,
    plot_embedding as plot_embedding,
)
from .plots.evaluation import (
    plot_confusion as plot_confusion,
    plot_mistakes as plot_mistakes,
    plot_reliability as plot_reliability,
    plot_risk_coverage as plot_risk_coverage,
)
from .plots.pictures import plot_prediction as plot_prediction, plot_row as plot_row
from .plots.robustness import plot_robustness as plot_robustness
from .plots.training import plot_history as plot_history, plot_seeds as plot_seeds, plot_tradeoff as plot_tradeoff
from .synthetic_digits import draw_digits as draw_digits
from .training import InterruptedTraining as InterruptedTraining, train as train

__version__: str
