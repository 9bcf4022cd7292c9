"""awsgluedq.transforms: EvaluateDataQuality, which scripts of Glue Studio import."""

from awsglue._errors import not_implemented


class EvaluateDataQuality(object):
    """Raises when it is used."""

    @classmethod
    def apply(cls, *args, **kwargs):
        raise not_implemented("EvaluateDataQuality", "rulesets (DQDL) aren't evaluated here",
                              "Take the call out, or check the frame with DataFrame methods.")

    def process_rows(self, *args, **kwargs):
        return self.apply()
